import type { CommandContext, Executor } from '../core/executor.ts';
import { conditional } from '../core/precondition.ts';
import type { PluginId } from '../domain/ids.ts';
import { editionOf, findVersion, livePlugin, plugin } from '../domain/plugin.ts';
import { changeVersionState as decide } from '../domain/plugin-changes.ts';
import type { Publisher } from '../domain/publisher.ts';
import type { VersionState } from '../domain/version.ts';
import type { Clock } from '../ports/clock.ts';
import type { Position } from '../ports/event-store.ts';
import { refuseSuspended } from './refuse-suspended.ts';

/**
 * Makes a version Beta, Stable, Deprecated or Yanked.
 * @throws {CommandRefused} NotFound, Forbidden, PreconditionFailed or Conflict
 */
export async function changeVersionState(
  { executor, clock }: { readonly executor: Executor; readonly clock: Pick<Clock, 'now'> },
  context: CommandContext & { readonly publisher: Publisher },
  change: {
    readonly pluginId: PluginId;
    readonly semanticVersion: string;
    readonly state: VersionState;
  },
): Promise<{ readonly position: Position | null }> {
  const { pluginId, ...wanted } = change;
  const { publisher } = context;
  const known = livePlugin((await executor.load(plugin, pluginId)).state);
  if (known) await refuseSuspended(executor, publisher.tenant);
  const at = new Date(clock.now()).toISOString();
  const { position } = await executor.execute({
    aggregate: plugin,
    id: pluginId,
    tenant: known?.ownerTenant ?? publisher.tenant,
    context,
    decide: (state) => {
      const version = findVersion(state, wanted.semanticVersion);
      return conditional(context, version && editionOf(version), decide(state, { ...wanted, publisher, at }));
    },
  });
  return { position };
}
