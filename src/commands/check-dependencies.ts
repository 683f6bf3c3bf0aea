/** What a deployment requires of others (decisions 20): all of it must be current where it is deployed, and about to stay. */
import { CommandRefused, type Executor } from '../core/executor.ts';
import {
  type Candidate,
  type Dependency,
  type Required,
  requiredOf,
  unmetDependencies,
} from '../domain/dependencies.ts';
import { deployment, type Deployment, isAdvancing } from '../domain/deployment/deployment.ts';
import { type DeploymentId, type Slot, slotKey } from '../domain/ids.ts';
import { findVersion, plugin } from '../domain/plugin.ts';
import { refuse } from '../domain/refusal.ts';
import { slot as slotAggregate } from '../domain/slot.ts';
import { parseConstraint, satisfies } from '../domain/version.ts';
import { lookUpRequired } from './look-up-required.ts';

/** @throws {CommandRefused} DependencyConflict, naming each that is not there or about to go */
export async function checkDependencies(
  executor: Pick<Executor, 'load'>,
  target: Slot,
  needed: readonly Dependency[],
): Promise<void> {
  const current = await lookUpRequired(target.plugin, needed, async (id) => {
    const running = await currentVersion(executor, { ...target, plugin: id });
    return running ? [running] : [];
  });
  const unmet = unmetDependencies(target.plugin, needed, current).map((one) => {
    const is = one.found === null ? 'it is not deployed' : `${one.found} is deployed`;
    return `${one.requiredBy} requires ${one.dependencyId} ${one.versionConstraint}, and ${is} in ${target.environment}: deploy it first`;
  });
  const direct = requiredOf(needed).filter(({ pluginId }) => pluginId !== target.plugin);
  const going = unmet.length > 0 ? [] : direct.map((required) => departure(executor, target, required));
  const problems = [...unmet, ...(await Promise.all(going)).filter((problem) => problem !== null)];
  if (problems.length === 0) return;
  const details = problems.map((message) => ({ field: 'pluginId', message }));
  throw new CommandRefused(refuse('DependencyConflict', 'Required plugins are not deployed', ...details));
}

/** The version that is current in a slot. */
export async function currentVersion(
  executor: Pick<Executor, 'load'>,
  slot: Slot,
): Promise<Candidate | null> {
  const { state } = await executor.load(slotAggregate, slotKey(slot));
  if (state.current === null) return null;
  const { state: current } = await executor.load(deployment, state.current);
  if (current.phase === 'None') return null;
  const { state: known } = await executor.load(plugin, slot.plugin);
  return findVersion(known, current.request.pluginVersion);
}

/**
 * Whether what is current there is about to leave or to break the constraint. Whoever takes it away has claimed its slot before
 * looking for those that require it: one of the two sees the other.
 */
async function departure(
  executor: Pick<Executor, 'load'>,
  target: Slot,
  { pluginId, versionConstraint }: Required,
): Promise<string | null> {
  const { state } = await executor.load(slotAggregate, slotKey({ ...target, plugin: pluginId }));
  const requires = `${target.plugin} requires ${pluginId} ${versionConstraint}`;
  const { flight, successor } = state;
  if (flight?.kind === 'undeploy') return `${requires}, and it is being undeployed in ${target.environment}`;
  const next = [flight?.kind === 'rollback' ? flight.to : flight?.deploymentId, successor?.deploymentId];
  for (const id of next.filter((one) => one !== undefined)) {
    const coming = await comingVersion(executor, id, flight?.kind === 'rollback');
    if (coming === 'unknown')
      return `${requires}, and it is being replaced in ${target.environment}: try again in a moment`;
    const constraint = parseConstraint(versionConstraint);
    if (coming !== null && constraint && !satisfies(coming, constraint))
      return `${requires}, and it is being replaced by ${coming} in ${target.environment}`;
  }
  return null;
}

/** Null: it is on its way back. Unknown: its slot is claimed, and nothing is recorded yet. */
async function comingVersion(
  executor: Pick<Executor, 'load'>,
  id: DeploymentId,
  returns: boolean,
): Promise<string | null> {
  const { state } = await executor.load(deployment, id);
  if (state.phase === 'None') return 'unknown';
  return returns || isComing(state) ? state.request.pluginVersion : null;
}

function isComing(state: Deployment): boolean {
  return isAdvancing(state) || ['Pending', 'Paused', 'Promoting'].includes(state.phase);
}
