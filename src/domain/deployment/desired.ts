/** Which instances should run in a slot, and under which epoch their evidence counts. */
import type { DeploymentId } from '../ids.ts';
import type { SlotState } from '../slot.ts';
import { isAdvancing, stageOf, type Deployment, type DeploymentState } from './deployment.ts';
import type { DeploymentRequest } from './events.ts';

/** What the runtime is told of one deployment. */
export interface Desired {
  readonly deploymentId: DeploymentId;
  readonly pluginVersion: string;
  readonly instances: number;
  readonly runtime: DeploymentRequest['runtime'];
  readonly configuration: DeploymentRequest['configuration'];
  readonly scenario: string | null;
}

/** Fences that one deployment can raise before its numbers run into the slot's. */
const fencesPerSlotFence = 2 ** 20;

/** The deployment whose fence counts: the one in flight, else the current one. */
export function leading(slot: SlotState): DeploymentId | null {
  return slot.flight?.deploymentId ?? slot.current;
}

/** Grows strictly with every change of what should run, so that a runtime can refuse what came late. @param lead see leading */
export function epochOf(slot: SlotState, lead: DeploymentState | null): number {
  return slot.fence * fencesPerSlotFence + (lead?.fence ?? 0);
}

/** The deployments that desiredSet needs to know. */
export function involved(slot: SlotState): readonly DeploymentId[] {
  const { current, flight } = slot;
  const to = flight?.kind === 'rollback' ? flight.to : null;
  return [...new Set([current, flight?.deploymentId ?? null, to])].filter((id) => id !== null);
}

/**
 * Direct and Canary keep all old instances until the slot has turned; what goes back leaves at once, only the old stay; the
 * rollback of a completed deployment starts its predecessor beside it.
 */
export function desiredSet(
  slot: SlotState,
  deployments: ReadonlyMap<DeploymentId, DeploymentState>,
): readonly Desired[] {
  const get = (id: DeploymentId | null): Deployment | null => {
    const state = id === null ? undefined : deployments.get(id);
    return state && state.phase !== 'None' ? state : null;
  };
  const { flight } = slot;
  const current = get(slot.current);
  if (!flight) return current ? [all(current)] : [];
  const flying = get(flight.deploymentId);
  if (flight.kind === 'undeploy') return flight.expiresAt === null || !current ? [] : [all(current)];
  if (flight.kind === 'rollback' && flying?.phase === 'Undeploying') return [];
  const other = flight.kind === 'rollback' ? get(flight.to) : flying;
  const beside = flight.kind === 'rollback' ? other && all(other) : flying && inFlight(flying);
  return [...(current ? [all(current)] : []), ...(beside ? [beside] : [])];
}

/** Instances of a deployment that has its place in the slot that are to run; see desiredSet. */
export function instancesWanted(state: Deployment): number {
  switch (state.phase) {
    case 'Provisioning':
    case 'Baking':
    case 'Approval':
    case 'Paused':
    case 'Promoting':
      return inFlight(state)?.instances ?? 0;
    case 'Completed':
    case 'RollbackFailed':
      return state.request.totalInstances;
    case 'RollingBack':
      return state.wasCompleted ? state.request.totalInstances : 0;
    case 'Pending':
    case 'Refused':
    case 'Undeploying':
    case 'RolledBack':
    case 'Failed':
    case 'Cancelled':
    case 'Superseded':
    case 'Undeployed':
      return 0;
  }
}

function inFlight(state: Deployment): Desired | null {
  if (isAdvancing(state) || state.phase === 'Paused')
    return some(state.request, stageOf(state.request, state.stage).instances);
  return state.phase === 'Promoting' ? all(state) : null;
}

function all({ request }: Deployment): Desired {
  return some(request, request.totalInstances);
}

function some(request: DeploymentRequest, instances: number): Desired {
  const { deploymentId, pluginVersion, runtime, configuration, scenario } = request;
  return { deploymentId, pluginVersion, instances, runtime, configuration, scenario };
}
