/** What people may ask of a deployment, and what the platform itself must tell it. The same again yields no events. */
import type { DeploymentId, UserId } from '../ids.ts';
import { refuse, type Decision, type Refusal } from '../refusal.ts';
import type { SlotState } from '../slot.ts';
import { isAdvancing, type Deployment, type DeploymentState } from './deployment.ts';
import { rollbackOfCompleted } from './ending.ts';
import type { DeploymentEvent, DeploymentRequest } from './events.ts';

type Decided = Decision<DeploymentEvent>;

export interface AskedBy {
  readonly by: UserId;
  /** 1 to 1000 characters. */
  readonly reason: string;
}

/** After the slot was claimed for it. */
export function requestDeployment(state: DeploymentState, request: DeploymentRequest): Decided {
  return state.phase === 'None' ? [{ type: 'DeploymentRequested', data: request }] : [];
}

/** Whether rolling back or undeploying must claim the slot first (claimRollback, claimUndeploy): it is not in flight itself. */
export function needsSlotClaim({ phase }: DeploymentState): boolean {
  return phase === 'Completed' || phase === 'RollbackFailed';
}

/** @param slot after claimRollback, where needsSlotClaim says so @param wallMs wall time */
export function requestRollback(
  state: DeploymentState,
  slot: SlotState,
  { by, reason }: AskedBy,
  wallMs: number,
): Decided {
  if (state.phase === 'None') return unknown();
  const { deploymentId } = state.request;
  const flight = slot.flight?.deploymentId === deploymentId ? slot.flight : null;
  if (needsSlotClaim(state)) {
    if (flight?.kind === 'rollback') return [rollbackOfCompleted(flight, state, wallMs)];
    return conflict(state, "is not its slot's current one, or another is in flight");
  }
  if (state.phase === 'RolledBack') return [];
  if (state.phase === 'RollingBack' && state.outcome === 'RolledBack') return [];
  if (!isRunning(state)) return conflict(state, `is ${words(state)} and cannot be rolled back`);
  if (!flight) return conflict(state, 'still waits for its slot: abort it instead');
  if (slot.current === null) return conflict(state, 'is the first in its slot: nothing to return to');
  const fence = state.fence + 1;
  const dueAt = new Date(wallMs).toISOString();
  const end = { to: slot.current, outcome: 'RolledBack', wasCompleted: false, fence, dueAt } as const;
  return [{ type: 'RollbackStarted', data: { cause: 'user', reason, evidence: [], by, ...end } }];
}

export function pause(state: DeploymentState, { by, reason }: AskedBy): Decided {
  if (state.phase === 'None') return unknown();
  if (isEnding(state)) return conflict(state, 'is being aborted');
  const event: DeploymentEvent = { type: 'RolloutPaused', data: { cause: 'User', reason, by } };
  if (isAdvancing(state)) return [event];
  // Blindness ends by itself: who wants it to stand still all the same says so.
  if (state.phase === 'Paused') return state.cause === 'MonitorBlind' ? [event] : [];
  return conflict(state, `is ${words(state)} and cannot be paused`);
}

/** Gives a paused rollout another chance: evidence and the progress deadline begin anew, the bake it earned is kept. */
export function resume(state: DeploymentState, { by, reason }: AskedBy, wallMs: number): Decided {
  if (state.phase === 'None') return unknown();
  if (isEnding(state)) return conflict(state, 'is being aborted');
  if (isAdvancing(state)) return [];
  if (state.phase !== 'Paused') return conflict(state, `is ${words(state)}, not paused`);
  if (state.cause === 'MonitorBlind')
    return conflict(state, `goes on by itself once the monitor sees again: ${state.reason}`);
  return [resumed(state, { by, reason }, wallMs)];
}

function resumed(state: Deployment, { by, reason }: AskedBy, wallMs: number): DeploymentEvent {
  const dueAt = new Date(wallMs).toISOString();
  return { type: 'RolloutResumed', data: { by, reason, fence: state.fence + 1, dueAt } };
}

/** Skips the remaining bakes and inconclusive metrics; never the failure rule, nor approvals. */
export function promote(state: DeploymentState, asked: AskedBy, wallMs: number): Decided {
  if (state.phase === 'None') return unknown();
  if (state.phase === 'Promoting' || state.phase === 'Completed') return [];
  if (isEnding(state)) return conflict(state, 'is being aborted');
  if (!isAdvancing(state) && state.phase !== 'Paused')
    return conflict(state, `is ${words(state)} and cannot be promoted`);
  const goesOn = state.phase === 'Paused' && state.cause === 'Inconclusive';
  return [
    ...(state.asked.promote ? [] : [{ type: 'PromotionRequested', data: asked } as const]),
    ...(goesOn ? [resumed(state, asked, wallMs)] : []),
  ];
}

/** Returns to stable and ends Cancelled; Superseded when it makes way for another. */
export function abort(
  state: DeploymentState,
  { by, reason }: AskedBy,
  supersededBy: DeploymentId | null = null,
): Decided {
  if (state.phase === 'None') return unknown();
  if (state.phase === 'Cancelled' || state.phase === 'Superseded') return [];
  if (state.phase === 'RollingBack' && !state.wasCompleted) return [];
  if (!isRunning(state)) return conflict(state, `is ${words(state)} and cannot be aborted`);
  return state.asked.abort ? [] : [{ type: 'AbortRequested', data: { by, reason, supersededBy } }];
}

export function approve(state: DeploymentState, { by, reason }: AskedBy, wallMs: number): Decided {
  if (state.phase === 'None') return unknown();
  if (isEnding(state)) return conflict(state, 'is being aborted');
  const step = state.phase === 'Paused' ? state.from : state;
  if (!isStep(step) || !step.approval) return conflict(state, 'waits for no approval');
  if (step.approval.approved) return [];
  if (step.phase !== 'Approval') return conflict(state, 'waits for no approval');
  if (wallMs >= Date.parse(step.expiresAt))
    return conflict(state, `could be approved until ${step.expiresAt} only`);
  return [{ type: 'StageApproved', data: { stage: step.stage, by, reason } }];
}

function isStep(
  step: Deployment | { readonly phase: string },
): step is Extract<Deployment, { approval: unknown }> {
  return 'approval' in step;
}

/** @param slot after claimUndeploy, where needsSlotClaim says so */
export function undeploy(state: DeploymentState, slot: SlotState, { by, reason }: AskedBy): Decided {
  if (state.phase === 'None') return unknown();
  if (state.phase === 'Undeploying' || state.phase === 'Undeployed') return [];
  // Nothing has been started: withdrawing the request is all.
  if (state.phase === 'Pending') return abort(state, { by, reason });
  const { deploymentId } = state.request;
  const { flight } = slot;
  const claimed =
    flight?.kind === 'undeploy' && flight.deploymentId === deploymentId && flight.expiresAt === null;
  if (needsSlotClaim(state) && !claimed)
    return conflict(state, "is not its slot's current one, or another is in flight");
  if (claimed || isRunning(state) || state.phase === 'RollingBack')
    return [{ type: 'UndeployStarted', data: { by, reason, fence: state.fence + 1 } }];
  return conflict(state, `is ${words(state)} and cannot be undeployed`);
}

/** The platform itself stopped or lost the instances (its restart, not theirs): they start again, the earned bake is kept. */
export function interrupt(state: DeploymentState, reason: string, wallMs: number): Decided {
  const returns = state.phase === 'RollingBack' && state.wasCompleted;
  if (!isAdvancing(state) && state.phase !== 'Paused' && !returns) return [];
  const left = state.request.plan.progressDeadlineMs - state.deadlineEarnedMs;
  const dueAt = new Date(wallMs + Math.max(0, left)).toISOString();
  const stage = state.phase === 'RollingBack' ? null : state.stage;
  return [{ type: 'StageInterrupted', data: { stage, reason, fence: state.fence + 1, dueAt } }];
}

/** An abort was accepted, and is about to be carried out. */
function isEnding(state: Deployment): boolean {
  return state.asked.abort !== null && isRunning(state);
}

function isRunning(state: Deployment): boolean {
  return state.phase === 'Pending' || state.phase === 'Paused' || isAdvancing(state);
}

function words({ phase }: Deployment): string {
  const known: Partial<Record<Deployment['phase'], string>> = {
    RolledBack: 'rolled back',
    RollingBack: 'being rolled back',
    Promoting: 'completing this moment',
  };
  return known[phase] ?? phase.toLowerCase();
}

function conflict(state: Deployment, problem: string): Refusal {
  return refuse('Conflict', `Deployment ${state.request.deploymentId} ${problem}`);
}

function unknown(): Refusal {
  return refuse('NotFound', 'There is no such deployment');
}
