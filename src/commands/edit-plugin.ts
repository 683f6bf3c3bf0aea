import type { CommandContext, Executor } from '../core/executor.ts';
import { conditional } from '../core/precondition.ts';
import type { PluginId } from '../domain/ids.ts';
import { livePlugin, plugin } from '../domain/plugin.ts';
import { editMetadata } from '../domain/plugin-changes.ts';
import type { Publisher } from '../domain/publisher.ts';
import type { MetadataEdit } from '../domain/registration.ts';
import type { Clock } from '../ports/clock.ts';
import type { Position } from '../ports/event-store.ts';
import type { Vault } from '../ports/vault.ts';
import { refuseSuspended } from './refuse-suspended.ts';
import { sealAuthor } from './seal-author.ts';

export interface EditPluginDeps {
  readonly executor: Executor;
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Edits what is said of a plugin.
 * @throws {CommandRefused} NotFound, Forbidden, PreconditionFailed or Conflict
 */
export async function editPlugin(
  { executor, vault, clock }: EditPluginDeps,
  context: CommandContext & { readonly publisher: Publisher },
  { pluginId, edit }: { readonly pluginId: PluginId; readonly edit: MetadataEdit },
): Promise<{ readonly position: Position | null }> {
  const { publisher } = context;
  const known = livePlugin((await executor.load(plugin, pluginId)).state);
  if (known) await refuseSuspended(executor, publisher.tenant);
  const owner = known?.ownerTenant ?? publisher.tenant;
  const sealedAuthor = edit.author ? await sealAuthor(vault, owner, edit.author, known) : null;
  const at = new Date(clock.now()).toISOString();
  const { position } = await executor.execute({
    aggregate: plugin,
    id: pluginId,
    tenant: owner,
    context,
    decide: (state, revision) =>
      conditional(context, revision, editMetadata(state, { edit, sealedAuthor, publisher, at })),
  });
  return { position };
}
