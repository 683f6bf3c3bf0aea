/** What people are shown of a deployment. */
import { isAdvancing, stageIndexOf, type Deployment, type Paused } from './deployment.ts';

export type DeploymentStatus =
  | 'Pending'
  | 'InProgress'
  | 'Paused'
  | 'RollingBack'
  | 'RolledBack'
  | 'RollbackFailed'
  | 'Completed'
  | 'Failed'
  | 'Cancelled'
  | 'Superseded'
  | 'Undeployed';

export interface Status {
  /** In the Plugin Manager API's words; Undeploying is still InProgress there. */
  readonly status: DeploymentStatus;
  readonly phase: Deployment['phase'];
  /** From 1; 0 before the first. */
  readonly stage: number;
  readonly stages: number;
  /** Why it is paused, goes back or ended; null while all is well. */
  readonly reason: string | null;
}

export function statusOf(state: Deployment): Status {
  const before = state.phase === 'Pending' || state.phase === 'Refused';
  return {
    status: statusWord(state),
    phase: state.phase,
    stage: before ? 0 : stageIndexOf(state) + 1,
    stages: state.request.plan.stages.length,
    reason: 'reason' in state ? state.reason : null,
  };
}

function statusWord({ phase }: Deployment): DeploymentStatus {
  switch (phase) {
    case 'Provisioning':
    case 'Baking':
    case 'Approval':
    case 'Promoting':
    case 'Undeploying':
      return 'InProgress';
    case 'Refused':
      return 'Cancelled';
    case 'Pending':
    case 'Paused':
    case 'RollingBack':
    case 'RolledBack':
    case 'RollbackFailed':
    case 'Completed':
    case 'Failed':
    case 'Cancelled':
    case 'Superseded':
    case 'Undeployed':
      return phase;
  }
}

/** Percent of totalInstances that runs the new version and is ready. @param ready of its instances, as evidence has it */
export function progressOf(state: Deployment, ready: number): number {
  if (state.phase === 'Completed') return 100;
  const running = isAdvancing(state) || state.phase === 'Paused' || state.phase === 'Promoting';
  if (!running) return 0;
  const { totalInstances } = state.request;
  return Math.floor((100 * Math.min(ready, totalInstances)) / totalInstances);
}

/** Remaining bakes plus provisioning, in wall milliseconds; null where nobody can tell: it waits for a person, or has ended. */
export function estimatedCompletionAt(state: Deployment, wallMs: number): number | null {
  if (state.asked.abort) return null;
  if (state.phase === 'Promoting') return wallMs;
  if (state.phase === 'Pending') return wallMs + remainingMs(state, 0);
  if (!isAdvancing(state) && !isBlind(state)) return null;
  if (state.phase === 'Approval') return null;
  const { stages } = state.request.plan;
  const bake = state.asked.promote ? 0 : (stages[state.stage]?.bakeMs ?? 0);
  const provisioning = state.phase === 'Baking' ? 0 : provisioningMs(state);
  const here = provisioning + Math.max(0, bake - state.bakeEarnedMs);
  return wallMs + here + remainingMs(state, state.stage + 1);
}

function isBlind(state: Deployment): state is Deployment & Paused {
  return state.phase === 'Paused' && state.cause === 'MonitorBlind';
}

function remainingMs(state: Deployment, from: number): number {
  return state.request.plan.stages
    .slice(from)
    .reduce((sum, { bakeMs }) => sum + provisioningMs(state) + (state.asked.promote ? 0 : bakeMs), 0);
}

/** Until the probes of a fresh instance have passed: a guess, but of the right size. */
function provisioningMs({ request }: Deployment): number {
  return request.healthCheck.intervalSeconds * request.healthCheck.successThreshold * 1000;
}
