/**
 * Deletes a plugin that nobody has deployed (decisions 29). Claim first, then read the other side: the plugin is marked, then its
 * live deployments are looked for as of the mark, then it is deleted or let be. Whoever finds a mark may end what was begun.
 */
import { step } from '../core/context.ts';
import { CommandRefused, type CommandContext, type Executor } from '../core/executor.ts';
import { conditional } from '../core/precondition.ts';
import type { DeploymentId, PluginId, SlotKey } from '../domain/ids.ts';
import { livePlugin, plugin, pluginEvents } from '../domain/plugin.ts';
import { endDeletion, startDeletion } from '../domain/plugin-deletion.ts';
import { refuse } from '../domain/refusal.ts';
import { slot } from '../domain/slot.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore, Position } from '../ports/event-store.ts';
import { backwards, claimedBefore } from './claimed-before.ts';

export interface DeletePluginDeps {
  readonly executor: Executor;
  readonly store: Pick<EventStore, 'readStream' | 'compare'>;
  readonly clock: Pick<Clock, 'now'>;
  /** The plugin's slots that were occupied as of a position, unless they are free again by now. */
  readonly occupiedSlots: (pluginId: PluginId, asOf: Position) => Promise<readonly SlotKey[]>;
}

/** How a deletion ended: with live deployments (the first of them) the plugin was let be, without any it is gone. */
export interface DeletionEnd {
  readonly live: readonly DeploymentId[];
  readonly position: Position;
}

/** Enough for a person to see what is meant. */
const mostNamed = 10;

/** @throws {CommandRefused} NotFound, PreconditionFailed, or Conflict when it is deployed somewhere; {NotThereYet}: the mark stays until someone ends it */
export async function deletePlugin(
  deps: DeletePluginDeps,
  context: CommandContext,
  pluginId: PluginId,
): Promise<{ readonly position: Position }> {
  const { executor, clock } = deps;
  const at = new Date(clock.now()).toISOString();
  const { state, events } = await executor.execute({
    aggregate: plugin,
    id: pluginId,
    tenant: livePlugin((await executor.load(plugin, pluginId)).state)?.ownerTenant ?? null,
    context,
    decide: (known, revision) =>
      conditional(context, revision, startDeletion(known, { deletionId: context.commandId, at })),
  });
  const joined = events.length === 0 ? livePlugin(state)?.deletion : null;
  const { live, position } = await finishDeletion(deps, context, {
    pluginId,
    deletionId: joined?.deletionId ?? context.commandId,
  });
  if (live.length === 0) return { position };
  const details = live.map((id) => ({ field: 'pluginId', message: `Deployment ${id} is live` }));
  const message = `Plugin ${pluginId} has active deployments: undeploy from all tenants first`;
  throw new CommandRefused(refuse('Conflict', message, ...details));
}

/** Ends a deletion that was begun, or says how it ended. Any number may try at once. */
export async function finishDeletion(
  deps: DeletePluginDeps,
  context: CommandContext,
  deletion: { readonly pluginId: PluginId; readonly deletionId: string },
): Promise<DeletionEnd> {
  const { executor, clock } = deps;
  const { pluginId, deletionId } = deletion;
  const found = await findDeletion(deps, deletion);
  if (found.end) return found.end;
  const live = await liveDeployments(deps, pluginId, found.mark);
  const at = new Date(clock.now()).toISOString();
  await executor.execute({
    aggregate: plugin,
    id: pluginId,
    tenant: livePlugin((await executor.load(plugin, pluginId)).state)?.ownerTenant ?? null,
    context: step(context, `end deletion ${deletionId}`),
    decide: (state) => endDeletion(state, { deletionId, live, at }),
  });
  const { end } = await findDeletion(deps, deletion);
  if (!end) throw new Error(`deletion ${deletionId} of ${pluginId} did not end`);
  return end;
}

/** From the log: another request, or the process, may have ended it. */
async function findDeletion(
  { store }: DeletePluginDeps,
  { pluginId, deletionId }: { readonly pluginId: PluginId; readonly deletionId: string },
): Promise<{ readonly mark: Position; readonly end: DeletionEnd | null }> {
  let end: DeletionEnd | null = null;
  for await (const { type, data, position } of backwards(store, `plugin-${pluginId}`)) {
    if (data['deletionId'] !== deletionId) continue;
    if (type === 'PluginDeletionStarted') return { mark: position, end };
    const { deployments } =
      type === 'PluginDeleted' ? { deployments: [] } : pluginEvents.PluginDeletionRefused.data.parse(data);
    end = { live: deployments, position };
  }
  throw new Error(`plugin ${pluginId} was never marked by deletion ${deletionId}`);
}

/** A claim after the mark is no obstacle: whoever made it reads the plugin again and gives it back. */
async function liveDeployments(
  deps: DeletePluginDeps,
  pluginId: PluginId,
  mark: Position,
): Promise<readonly DeploymentId[]> {
  const live: DeploymentId[] = [];
  for (const key of await deps.occupiedSlots(pluginId, mark)) {
    const { current, flight } = (await deps.executor.load(slot, key)).state;
    if (current) live.push(current);
    else if (flight && (await claimedBefore(deps.store, key, flight.deploymentId, mark)))
      live.push(flight.deploymentId);
    if (live.length === mostNamed) break;
  }
  return live;
}
