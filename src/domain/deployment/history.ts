/** What happened to a deployment, in words a tired person understands. */
import type { DeploymentEvent, DeploymentRequest, PauseReason, RollbackCause } from './events.ts';

export interface Told {
  /** One sentence. */
  readonly summary: string;
  /** From 1; null: it is about none. */
  readonly stage: number | null;
  /** Of the new version that are to run. */
  readonly instances: number | null;
  readonly reason: string | null;
  /** What the decision stood on, a sentence each. */
  readonly evidence: readonly string[];
  /** Who asked for it; null: the rollout decided by itself. */
  readonly by: string | null;
}

const nothing: Omit<Told, 'summary'> = { stage: null, instances: null, reason: null, evidence: [], by: null };

const paused: Readonly<Record<PauseReason, string>> = {
  User: 'It was paused',
  MonitorBlind: 'It paused by itself: nobody can tell how the instances are',
  Failure: 'It failed and paused, as its plan says: a person must decide',
  PreviousUnhealthy: 'It failed and paused: what it would return to is unhealthy as well',
  Inconclusive: 'It paused by itself: too little was measured to decide',
};

const back: Readonly<Record<RollbackCause, string>> = {
  automatic: 'It goes back by itself',
  user: 'It goes back, as somebody asked',
  abort: 'It was aborted and goes back',
  approvalExpired: 'It goes back: nobody approved the stage in time',
  superseded: 'It makes way for another deployment',
};

/** Null for what is kept for the machine alone. */
export function tell(event: DeploymentEvent, { plan, totalInstances }: DeploymentRequest): Told | null {
  const of = (stage: number): string => `Stage ${stage + 1} of ${plan.stages.length}`;
  switch (event.type) {
    case 'DeploymentRequested': {
      const { pluginVersion, environment, requestedBy: by } = event.data;
      const many = totalInstances === 1 ? '1 instance' : `${totalInstances} instances`;
      const what = `${pluginVersion} to ${environment}, ${plan.strategy} with ${many}`;
      return { ...nothing, summary: `Somebody asked to deploy ${what}`, by };
    }
    case 'StageStarted': {
      const { stage, instances, evidence = [] } = event.data;
      const summary = `${of(stage)} began: ${instances} of ${totalInstances} instances start`;
      return { ...nothing, summary, stage: stage + 1, instances, evidence };
    }
    case 'CanaryStageReached': {
      const { stage, instances } = event.data;
      const all = instances === 1 ? 'its instance is' : `all ${instances} instances are`;
      const summary = `${of(stage)}: ${all} ready, the bake begins`;
      return { ...nothing, summary, stage: stage + 1, instances };
    }
    case 'StageInterrupted': {
      const { stage, reason } = event.data;
      const summary = 'The platform restarted the instances itself: they start again, what was baked is kept';
      return { ...nothing, summary, stage: stage === null ? null : stage + 1, reason };
    }
    case 'ApprovalRequested': {
      const { stage, expiresAt, evidence = [] } = event.data;
      return {
        ...nothing,
        summary: `${of(stage)} waits for approval until ${expiresAt}`,
        stage: stage + 1,
        evidence,
      };
    }
    case 'StageApproved': {
      const { stage, reason, by } = event.data;
      return { ...nothing, summary: `${of(stage)} was approved`, stage: stage + 1, reason, by };
    }
    case 'RolloutPaused': {
      const { cause, reason, by, evidence = [] } = event.data;
      return { ...nothing, summary: paused[cause], reason, by, evidence };
    }
    case 'RolloutResumed': {
      const { by, reason } = event.data;
      return { ...nothing, summary: by === null ? 'It goes on by itself' : 'It was resumed', reason, by };
    }
    case 'PromotionRequested':
      return { ...nothing, summary: 'Somebody asked to skip the bakes that remain', ...event.data };
    case 'AbortRequested': {
      const { by, reason, supersededBy } = event.data;
      const summary =
        supersededBy === null ? 'Somebody asked to abort it' : 'Another deployment is to take its place';
      return { ...nothing, summary, reason, by };
    }
    case 'PromotionStarted':
      return { ...nothing, summary: 'All stages are done', evidence: event.data.evidence ?? [] };
    case 'DeploymentCompleted':
      return { ...nothing, summary: 'It is completed: the new version is current' };
    case 'RollbackStarted': {
      const { cause, reason, evidence, by, to } = event.data;
      const where = to === null ? 'to nothing: it was the first' : `to ${to}`;
      return { ...nothing, summary: `${back[cause]}, ${where}`, reason, evidence, by };
    }
    case 'UndeployStarted': {
      const { by, reason } = event.data;
      return { ...nothing, summary: 'It is being undeployed', by, reason };
    }
    case 'DeploymentRolledBack':
      return {
        ...nothing,
        summary: `It was rolled back: ${event.data.to} is current`,
        reason: event.data.reason,
      };
    case 'RollbackFailed':
      return { ...nothing, summary: 'The way back failed', reason: event.data.reason };
    case 'DeploymentFailed':
      return {
        ...nothing,
        summary: 'It failed, and there was nothing to return to',
        reason: event.data.reason,
      };
    case 'DeploymentCancelled':
      return { ...nothing, summary: 'It was cancelled', reason: event.data.reason };
    case 'DeploymentSuperseded':
      return { ...nothing, summary: `It was superseded by ${event.data.by}`, reason: event.data.reason };
    case 'DeploymentUndeployed':
      return { ...nothing, summary: 'It was undeployed', reason: event.data.reason };
    case 'DeploymentRefused':
      return { ...nothing, summary: 'It never began', reason: event.data.reason };
    case 'TimeEarned':
      return null;
  }
}
