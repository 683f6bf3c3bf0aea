import type { CommandContext, Executor } from '../core/executor.ts';
import type { PluginId } from '../domain/ids.ts';
import { plugin } from '../domain/plugin.ts';
import { feature } from '../domain/plugin-changes.ts';
import type { Clock } from '../ports/clock.ts';
import type { Position } from '../ports/event-store.ts';

/**
 * Shows a plugin among the featured ones of the marketplace, or no longer. The platform's fact, not its owner's.
 * @throws {CommandRefused} NotFound
 */
export async function featurePlugin(
  { executor, clock }: { readonly executor: Executor; readonly clock: Pick<Clock, 'now'> },
  context: CommandContext,
  { pluginId, featured }: { readonly pluginId: PluginId; readonly featured: boolean },
): Promise<{ readonly position: Position | null }> {
  const at = new Date(clock.now()).toISOString();
  const { position } = await executor.execute({
    aggregate: plugin,
    id: pluginId,
    tenant: null,
    context,
    decide: (state) => feature(state, { featured, at }),
  });
  return { position };
}
