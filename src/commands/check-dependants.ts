/** Whether others, in the same tenant and environment, are left without what they require (decisions 20). */
import { CommandRefused, type Executor } from '../core/executor.ts';
import { brokenBy, type Dependency } from '../domain/dependencies.ts';
import { deployment } from '../domain/deployment/deployment.ts';
import { type DeploymentId, parseSlotKey, type Slot, slotKey, type SlotKey } from '../domain/ids.ts';
import { findVersion, livePlugin, plugin } from '../domain/plugin.ts';
import { refuse } from '../domain/refusal.ts';
import { slot as slotAggregate, type SlotState } from '../domain/slot.ts';
import type { EventStore, Position } from '../ports/event-store.ts';
import { currentVersion } from './check-dependencies.ts';
import { claimedBefore } from './claimed-before.ts';

export interface DependantsDeps {
  readonly executor: Executor;
  readonly store: Pick<EventStore, 'readStream' | 'compare' | 'head'>;
  /** Slots of the tenant and environment that were occupied as of a position, unless they are free again by now. */
  readonly slotsBeside: (
    place: Pick<Slot, 'tenant' | 'environment'>,
    asOf: Position,
  ) => Promise<readonly SlotKey[]>;
}

/** Enough for a person to see what is meant. */
const mostNamed = 10;

/**
 * Asked after the slot was claimed: who requires the plugin and claimed before is found here; who claims later finds the claim.
 * @param change.after the version that will be there; null: none
 * @param change.asOf the position of the claim
 * @throws {CommandRefused} Conflict, naming those that would break; {NotThereYet} when the read models lag
 */
export async function refuseBreaking(
  deps: DependantsDeps,
  target: Slot,
  change: { readonly after: string | null; readonly asOf: Position; readonly field: string },
): Promise<void> {
  const before = (await currentVersion(deps.executor, target))?.semanticVersion;
  if (before === undefined) return;
  const broken: string[] = [];
  for (const key of await deps.slotsBeside(target, change.asOf)) {
    const beside = parseSlotKey(key);
    if (!beside || key === slotKey(target)) continue;
    for (const id of await holders(deps, key, change.asOf)) {
      const { version, constraint } = await breaks(deps.executor, id, beside, {
        pluginId: target.plugin,
        before,
        after: change.after,
      });
      if (constraint !== null)
        broken.push(`${beside.plugin} ${version} (${id}) requires ${target.plugin} ${constraint}`);
    }
    if (broken.length >= mostNamed) break;
  }
  if (broken.length === 0) return;
  const details = broken.map((message) => ({ field: change.field, message }));
  const message = `Others in ${target.environment} require ${target.plugin}: ${broken[0] ?? ''}. Undeploy them first, or set force`;
  throw new CommandRefused(refuse('Conflict', message, ...details));
}

/** Deployments that have their place in a slot, or claimed it before. What has been decided to leave has none. */
async function holders(
  { executor, store }: DependantsDeps,
  key: SlotKey,
  asOf: Position,
): Promise<readonly DeploymentId[]> {
  const { state } = await executor.load(slotAggregate, key);
  const { current, flight } = state;
  const leaves = flight?.kind === 'undeploy' && flight.expiresAt === null;
  const settled = [leaves ? null : current, flight?.kind === 'rollback' ? flight.to : null];
  const claims: DeploymentId[] = [];
  for (const id of claimants(state)) if (await claimedBefore(store, key, id, asOf)) claims.push(id);
  return [...new Set([...settled.filter((id) => id !== null), ...claims])];
}

function claimants({ flight, successor }: SlotState): readonly DeploymentId[] {
  return [flight?.kind === 'rollout' ? flight : null, successor].flatMap((claim) =>
    claim === null ? [] : [claim.deploymentId],
  );
}

/** Of a claim that is not recorded yet nobody knows the version: every one of the plugin's counts. */
async function breaks(
  executor: Executor,
  id: DeploymentId,
  { plugin: pluginId }: Slot,
  change: Parameters<typeof brokenBy>[1],
): Promise<{ readonly version: string; readonly constraint: string | null }> {
  const { state: known } = await executor.load(plugin, pluginId);
  const { state } = await executor.load(deployment, id);
  const version = state.phase === 'None' ? null : findVersion(known, state.request.pluginVersion);
  const candidates: readonly {
    readonly semanticVersion: string;
    readonly dependencies: readonly Dependency[];
  }[] = version ? [version] : state.phase === 'None' ? (livePlugin(known)?.versions ?? []) : [];
  for (const { semanticVersion, dependencies } of candidates) {
    const constraint = brokenBy(dependencies, change);
    if (constraint !== null) return { version: semanticVersion, constraint };
  }
  return { version: '', constraint: null };
}
