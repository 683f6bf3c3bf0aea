/** One deployment, from its request to its end: `Pending → Provisioning(i) → Baking(i) → [Approval(i)] → … → Promoting → Completed`. */
import type { Aggregate } from '../event.ts';
import type { DeploymentId } from '../ids.ts';
import {
  deploymentEvents,
  type DeploymentEvent,
  type DeploymentRequest,
  type PauseReason,
  type RollbackCause,
  type RollbackOutcome,
} from './events.ts';
import type { Stage } from './plan.ts';

/** What a stage has behind it. */
export interface StageProgress {
  readonly stage: number;
  readonly bakeEarnedMs: number;
  /** In Provisioning, since the last structural progress. */
  readonly deadlineEarnedMs: number;
  /** Whether all its instances were ready before: being ready again is no progress. */
  readonly reachedBefore: boolean;
  readonly approval: { readonly expiresAt: string; readonly approved: boolean } | null;
}

/** A rollout that moves on by itself (Approval: by a person). */
export type Advancing =
  | ({ readonly phase: 'Provisioning' } & StageProgress)
  | ({ readonly phase: 'Baking' } & StageProgress)
  | ({ readonly phase: 'Approval'; readonly expiresAt: string } & StageProgress);

export interface Asked {
  /** Remaining bakes are skipped. */
  readonly promote: boolean;
  readonly abort: { readonly reason: string; readonly supersededBy: DeploymentId | null } | null;
}

interface Known {
  readonly request: DeploymentRequest;
  readonly fence: number;
  readonly asked: Asked;
}

export interface Paused extends StageProgress {
  readonly phase: 'Paused';
  readonly cause: PauseReason;
  readonly reason: string;
  /** Where it goes on. */
  readonly from: Advancing;
}

export interface RollingBack {
  readonly phase: 'RollingBack';
  readonly cause: RollbackCause;
  readonly reason: string;
  /** What the decision stood on, a sentence each. */
  readonly evidence: readonly string[];
  readonly to: DeploymentId | null;
  readonly outcome: RollbackOutcome;
  readonly wasCompleted: boolean;
  readonly deadlineEarnedMs: number;
  /** Of the stage that it left. */
  readonly stage: number;
}

/** It goes, or has gone. */
export interface Leaving {
  readonly phase: 'Undeploying' | EndedPhase;
  readonly reason: string;
  /** That it was in last. */
  readonly stage: number;
}

export type EndedPhase =
  'Refused' | 'RolledBack' | 'RollbackFailed' | 'Failed' | 'Cancelled' | 'Superseded' | 'Undeployed';

export type Phase =
  | { readonly phase: 'Pending' }
  | Advancing
  | Paused
  | { readonly phase: 'Promoting' }
  | { readonly phase: 'Completed' }
  | RollingBack
  | Leaving;

/** A deployment that was requested. */
export type Deployment = Known & Phase;
export type In<P extends Deployment['phase']> = Extract<Deployment, { phase: P }>;

export type DeploymentState = { readonly phase: 'None'; readonly fence: 0 } | Deployment;

/** Stream `deployment-{deploymentId}`. */
export const deployment: Aggregate<DeploymentState, DeploymentEvent> = {
  name: 'deployment',
  events: deploymentEvents,
  initial: { phase: 'None', fence: 0 },
  evolve: (state, event) => {
    if (event.type === 'DeploymentRequested') {
      const asked: Asked = { promote: false, abort: null };
      return { request: event.data, fence: 0, asked, phase: 'Pending' };
    }
    if (state.phase === 'None') throw new Error(`${event.type} of a deployment that was never requested`);
    const fence = 'fence' in event.data ? event.data.fence : state.fence;
    return { ...phaseAfter(state, event), request: state.request, fence, asked: asked(state, event) };
  },
};

function asked({ asked }: Deployment, event: DeploymentEvent): Asked {
  if (event.type === 'PromotionRequested') return { ...asked, promote: true };
  if (event.type === 'AbortRequested') {
    return { ...asked, abort: { reason: event.data.reason, supersededBy: event.data.supersededBy } };
  }
  return asked;
}

type Later = Exclude<DeploymentEvent, { type: 'DeploymentRequested' }>;

function phaseAfter(state: Deployment, event: Later): Phase {
  switch (event.type) {
    case 'StageStarted':
      return { phase: 'Provisioning', ...freshStage(event.data.stage) };
    case 'CanaryStageReached': {
      const done = progress(state);
      const deadlineEarnedMs = done.reachedBefore ? done.deadlineEarnedMs : 0;
      return { phase: 'Baking', ...done, deadlineEarnedMs, reachedBefore: true };
    }
    case 'ApprovalRequested': {
      const { expiresAt } = event.data;
      return { phase: 'Approval', expiresAt, ...progress(state), approval: { expiresAt, approved: false } };
    }
    case 'RolloutPaused': {
      if (!isAdvancing(state)) return state.phase === 'Paused' ? { ...state, ...event.data } : state;
      return { phase: 'Paused', ...event.data, ...progress(state), from: advancing(state) };
    }
    case 'RolloutResumed': {
      if (state.phase !== 'Paused') return state;
      // A person gives it another chance; that a monitor sees again does not.
      return event.data.by === null ? state.from : anotherChance(state.from, event.data.dueAt);
    }
    case 'TimeEarned':
    case 'StageInterrupted':
    case 'StageApproved':
      return withinPhase(state, event);
    case 'PromotionRequested':
    case 'AbortRequested':
      return state;
    case 'PromotionStarted':
      return { phase: 'Promoting' };
    case 'DeploymentCompleted':
      return { phase: 'Completed' };
    case 'RollbackStarted': {
      const { fence: _fence, dueAt: _dueAt, by: _by, ...back } = event.data;
      return { phase: 'RollingBack', ...back, deadlineEarnedMs: 0, stage: stageIndexOf(state) };
    }
    case 'UndeployStarted':
      return leaving('Undeploying', state, event.data);
    case 'DeploymentRolledBack':
      return leaving('RolledBack', state, event.data);
    case 'RollbackFailed':
      return leaving('RollbackFailed', state, event.data);
    case 'DeploymentFailed':
      return leaving('Failed', state, event.data);
    case 'DeploymentCancelled':
      return leaving('Cancelled', state, event.data);
    case 'DeploymentSuperseded':
      return leaving('Superseded', state, event.data);
    case 'DeploymentUndeployed':
      return leaving('Undeployed', state, event.data);
    case 'DeploymentRefused':
      return leaving('Refused', state, event.data);
  }
}

/** An approval that expired meanwhile is asked for anew. @param at when it was resumed */
function anotherChance(from: Advancing, at: string): Advancing {
  const again = { ...from, deadlineEarnedMs: 0 };
  if (again.phase !== 'Approval' || Date.parse(again.expiresAt) > Date.parse(at)) return again;
  return { phase: 'Baking', ...stageProgress(again), approval: null };
}

function leaving(
  phase: Leaving['phase'],
  state: Deployment,
  { reason }: { readonly reason: string },
): Leaving {
  return { phase, reason, stage: stageIndexOf(state) };
}

type WithinPhase = Extract<Later, { type: 'TimeEarned' | 'StageInterrupted' | 'StageApproved' }>;

/** What changes how far a phase is, paused or not. */
function withinPhase(state: Deployment, event: WithinPhase): Phase {
  if (state.phase === 'RollingBack') {
    return event.type === 'TimeEarned' ? { ...state, deadlineEarnedMs: event.data.deadlineEarnedMs } : state;
  }
  if (state.phase === 'Paused') {
    const from = within(state.from, event);
    return { ...state, ...stageProgress(from), from };
  }
  return isAdvancing(state) ? within(advancing(state), event) : state;
}

function within(state: Advancing, event: WithinPhase): Advancing {
  switch (event.type) {
    case 'TimeEarned': {
      const { bakeEarnedMs, deadlineEarnedMs } = event.data;
      return { ...state, bakeEarnedMs, deadlineEarnedMs };
    }
    case 'StageInterrupted':
      return { phase: 'Provisioning', ...stageProgress(state) };
    case 'StageApproved': {
      if (!state.approval) return state;
      return { phase: 'Baking', ...stageProgress(state), approval: { ...state.approval, approved: true } };
    }
  }
}

function freshStage(stage: number): StageProgress {
  return { stage, bakeEarnedMs: 0, deadlineEarnedMs: 0, reachedBefore: false, approval: null };
}

function progress(state: Deployment): StageProgress {
  return isAdvancing(state) || state.phase === 'Paused' ? stageProgress(state) : freshStage(0);
}

function stageProgress(of: StageProgress): StageProgress {
  const { stage, bakeEarnedMs, deadlineEarnedMs, reachedBefore, approval } = of;
  return { stage, bakeEarnedMs, deadlineEarnedMs, reachedBefore, approval };
}

function advancing(state: In<Advancing['phase']>): Advancing {
  const done = stageProgress(state);
  return state.phase === 'Approval'
    ? { phase: state.phase, expiresAt: state.expiresAt, ...done }
    : { phase: state.phase, ...done };
}

export function isAdvancing(state: DeploymentState): state is In<Advancing['phase']> {
  return state.phase === 'Provisioning' || state.phase === 'Baking' || state.phase === 'Approval';
}

/** Index of the stage that a deployment is in, or was in last: its last one once all are done. */
export function stageIndexOf(state: Deployment): number {
  if (state.phase === 'Pending' || state.phase === 'Refused') return 0;
  return 'stage' in state ? state.stage : state.request.plan.stages.length - 1;
}

export function stageOf(request: DeploymentRequest, index: number): Stage {
  const stage = request.plan.stages[index];
  if (!stage) throw new Error(`${request.deploymentId} has no stage ${index}`);
  return stage;
}
