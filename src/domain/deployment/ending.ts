/** How deployments end: the slot turns first, which names the current deployment and ends the flight; then the deployment tells its end. */
import { coolDownMs, type Flight, type SlotEnd, type SlotOutcome, type SlotState } from '../slot.ts';
import type { Deployment, In } from './deployment.ts';
import type { DeploymentEvent, DeploymentRequest } from './events.ts';
import type { Watch } from './watch.ts';

export interface Ending {
  readonly events?: readonly DeploymentEvent[];
  readonly slotEnd?: SlotEnd | null;
}

/** A request that waits: for its turn as a successor, or for nothing any more. */
export function withdraw(slot: SlotState, deployment: In<'Pending'>, wallMs: number): Ending {
  const { deploymentId } = deployment.request;
  const { abort } = deployment.asked;
  const waits = slot.successor?.deploymentId === deploymentId;
  if (abort) {
    if (waits || slot.flight?.deploymentId === deploymentId)
      return { slotEnd: { type: 'SlotReleased', data: { deploymentId, reason: abort.reason } } };
    const { reason, supersededBy: by } = abort;
    if (by !== null) return { events: [{ type: 'DeploymentSuperseded', data: { reason, by } }] };
    return { events: [{ type: 'DeploymentCancelled', data: { reason } }] };
  }
  if (waits) return {};
  const reason = `Its claim on the slot was gone by ${new Date(wallMs).toISOString()}, before the request was recorded`;
  return { events: [{ type: 'DeploymentRefused', data: { reason } }] };
}

/** @param returning what is known of the way back; absent where the phase needs none */
export function ending(
  slot: SlotState,
  deployment: Deployment,
  wallMs: number,
  returning?: { readonly oldReady: boolean; readonly watch: Watch },
): Ending {
  const { request } = deployment;
  const flight = slot.flight?.deploymentId === request.deploymentId ? slot.flight : null;
  switch (deployment.phase) {
    case 'Promoting':
      return flight
        ? turn(request, request.deploymentId, 'Completed')
        : { events: [{ type: 'DeploymentCompleted', data: {} }] };
    case 'Completed':
    case 'RollbackFailed':
      return flight ? { events: leave(flight, deployment, wallMs) } : {};
    case 'RollingBack':
      return flight
        ? goHome(slot, flight, deployment, wallMs, returning)
        : { events: [arrived(slot, deployment)] };
    case 'Undeploying': {
      const { reason } = deployment;
      if (!flight) return { events: [{ type: 'DeploymentUndeployed', data: { reason } }] };
      return turn(request, flight.kind === 'rollout' ? slot.current : null, 'Undeployed');
    }
    case 'Pending':
    case 'Provisioning':
    case 'Baking':
    case 'Approval':
    case 'Paused':
    case 'Refused':
    case 'RolledBack':
    case 'Failed':
    case 'Cancelled':
    case 'Superseded':
    case 'Undeployed':
      return {};
  }
}

/** The slot was claimed for it by a person; the deployment follows, also when that command was cut short. */
function leave(flight: Flight, deployment: Deployment, wallMs: number): readonly DeploymentEvent[] {
  if (flight.kind === 'rollout') return [];
  if (flight.kind === 'rollback') return [rollbackOfCompleted(flight, deployment, wallMs)];
  const { by, reason, expiresAt } = flight;
  if (expiresAt !== null) return [];
  return [{ type: 'UndeployStarted', data: { by, reason, fence: deployment.fence + 1 } }];
}

/** The first step of a rollback after completion: the predecessor is started beside it. */
export function rollbackOfCompleted(
  { to, reason, by }: Pick<Extract<Flight, { kind: 'rollback' }>, 'to' | 'reason' | 'by'>,
  deployment: Deployment,
  wallMs: number,
): DeploymentEvent {
  const dueAt = new Date(wallMs + deployment.request.plan.progressDeadlineMs).toISOString();
  const end = { to, outcome: 'RolledBack', wasCompleted: true, fence: deployment.fence + 1, dueAt } as const;
  return { type: 'RollbackStarted', data: { cause: 'user', reason, evidence: [], by, ...end } };
}

/** While a rollout was running, the old instances stayed: back at once. After completion the predecessor must be ready first. */
function goHome(
  slot: SlotState,
  flight: Flight,
  deployment: In<'RollingBack'>,
  wallMs: number,
  returning: { readonly oldReady: boolean; readonly watch: Watch } | undefined,
): Ending {
  const { request, outcome, cause, to } = deployment;
  if (flight.kind !== 'rollback') {
    const until = new Date(wallMs + coolDownMs).toISOString();
    const { pluginVersion, configurationHash } = request;
    const coolDown = cause === 'automatic' ? { pluginVersion, configurationHash, until } : null;
    return turn(request, slot.current, outcome, coolDown);
  }
  if (returning?.oldReady) return turn(request, to, 'RolledBack');
  const late = (returning?.watch.earnedMs ?? 0) >= request.plan.progressDeadlineMs;
  return late ? turn(request, request.deploymentId, 'RollbackFailed') : {};
}

function arrived(
  slot: SlotState,
  { request, outcome, reason, to, asked }: In<'RollingBack'>,
): DeploymentEvent {
  const { lastEnded } = slot;
  const failed = lastEnded?.deploymentId === request.deploymentId && lastEnded.outcome === 'RollbackFailed';
  if (failed || (outcome === 'RolledBack' && to === null)) {
    const seconds = request.plan.progressDeadlineMs / 1000;
    const words = `The previous version was not ready within ${seconds} seconds; this one stays current`;
    return { type: 'RollbackFailed', data: { reason: words } };
  }
  if (outcome === 'RolledBack' && to !== null) return { type: 'DeploymentRolledBack', data: { to, reason } };
  const by = asked.abort?.supersededBy ?? null;
  if (outcome === 'Superseded' && by !== null) return { type: 'DeploymentSuperseded', data: { reason, by } };
  if (outcome === 'Failed') return { type: 'DeploymentFailed', data: { reason } };
  return { type: 'DeploymentCancelled', data: { reason } };
}

function turn(
  { deploymentId }: DeploymentRequest,
  current: SlotState['current'],
  outcome: SlotOutcome,
  coolDown: Extract<SlotEnd, { type: 'SlotTurned' }>['data']['coolDown'] = null,
): Ending {
  return { slotEnd: { type: 'SlotTurned', data: { current, ended: deploymentId, outcome, coolDown } } };
}
