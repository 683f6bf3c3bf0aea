/** What can happen to a deployment. Every event that changes which instances should run, or what evidence counts, carries a new fence. */
import { z } from 'zod';
import type { EventsOf } from '../event.ts';
import { DeploymentId, Environment, PluginId, TenantId, UserId } from '../ids.ts';
import { HealthCheck } from './health-check.ts';
import { RolloutPlan } from './plan.ts';

/** Grows with every event that carries one; see epochOf. */
const fence = z.int().min(1);
const stage = z.int().min(0).max(19);
const earned = z.int().min(0);
/** When a decision is next worth asking for. Due times only ask; they never decide. */
const dueAt = z.iso.datetime();
const reason = z.string().min(1).max(1000);
const by = UserId;

export const DeploymentRequest = z.strictObject({
  deploymentId: DeploymentId,
  tenant: TenantId,
  environment: Environment,
  plugin: PluginId,
  pluginVersion: z.string(),
  plan: RolloutPlan,
  healthCheck: HealthCheck,
  totalInstances: z.int().min(1).max(1000),
  /** What each instance reserves at least (decisions 25). */
  reserves: z.strictObject({ cpu: z.number().min(0), memoryMB: z.number().min(0) }),
  /** Verbatim: `${secret:name}` is resolved only when an instance starts. */
  configuration: z.record(z.string(), z.json()),
  configurationHash: z.string(),
  /** Where a rollback returns to: what was current when this was requested; null: nothing. */
  previousDeploymentId: DeploymentId.nullable(),
  runtime: z.enum(['simulated', 'local', 'agent']),
  /** Of the simulated runtime. */
  scenario: z.string().nullable(),
  requestedBy: by,
});
export type DeploymentRequest = z.output<typeof DeploymentRequest>;

export const PauseReason = z.enum(['User', 'MonitorBlind', 'Failure', 'PreviousUnhealthy', 'Inconclusive']);
export type PauseReason = z.output<typeof PauseReason>;

/** Why a rollout goes back: `automatic` starts the cool-down of the same version and configuration. */
export const RollbackCause = z.enum(['automatic', 'user', 'abort', 'approvalExpired', 'superseded']);
export type RollbackCause = z.output<typeof RollbackCause>;

export const RollbackOutcome = z.enum(['RolledBack', 'Cancelled', 'Superseded', 'Failed']);
export type RollbackOutcome = z.output<typeof RollbackOutcome>;

const event = <D extends z.ZodType>(data: D): { readonly schema: 1; readonly data: D } => ({
  schema: 1,
  data,
});

/** What a decision stood on, a sentence each; absent where nobody looked, and before schema 2. */
const evidence = z.array(z.string().max(500)).max(20).optional();
const stoodOn = <D extends z.ZodType>(data: D) => ({
  schema: 2 as const,
  data,
  upcasts: { 1: (stored: unknown) => stored },
});

/** Of an older schema, which has been stored once and so was an object. */
const known = (data: unknown): object => z.looseObject({}).parse(data);

export const deploymentEvents = {
  DeploymentRequested: event(DeploymentRequest),
  /** Its claim on the slot was gone before the request was recorded. */
  DeploymentRefused: event(z.strictObject({ reason })),
  /** The stage's instances are to start; dueAt: the progress deadline. */
  StageStarted: stoodOn(z.strictObject({ stage, instances: z.int().min(1), fence, dueAt, evidence })),
  /** All instances of the stage are ready; the bake begins, or goes on where it was interrupted. dueAt: its end. */
  CanaryStageReached: event(
    z.strictObject({ stage, instances: z.int().min(1), percent: z.int().min(1).max(100), dueAt }),
  ),
  /** Time that counted, kept against a crash: totals of this stage, in milliseconds. */
  TimeEarned: event(
    z.strictObject({ stage: stage.nullable(), bakeEarnedMs: earned, deadlineEarnedMs: earned, dueAt }),
  ),
  /** The platform itself stopped or restarted the instances: they start again, and the bake that was earned is kept. */
  StageInterrupted: event(z.strictObject({ stage: stage.nullable(), reason, fence, dueAt })),
  ApprovalRequested: stoodOn(z.strictObject({ stage, expiresAt: z.iso.datetime(), evidence })),
  StageApproved: {
    schema: 2,
    data: z.strictObject({ stage, by, reason }),
    upcasts: { 1: (data: unknown) => ({ ...known(data), reason: 'It was approved' }) },
  },
  RolloutPaused: stoodOn(z.strictObject({ cause: PauseReason, reason, by: by.nullable(), evidence })),
  /** by null: what had paused it is over. */
  RolloutResumed: event(z.strictObject({ by: by.nullable(), reason, fence, dueAt })),
  PromotionRequested: event(z.strictObject({ by, reason })),
  AbortRequested: event(z.strictObject({ by, reason, supersededBy: DeploymentId.nullable() })),
  /** All stages are done: from here it can only complete. */
  PromotionStarted: stoodOn(z.strictObject({ evidence })),
  DeploymentCompleted: event(z.strictObject({})),
  RollbackStarted: event(
    z.strictObject({
      cause: RollbackCause,
      /** In words a tired person understands. */
      reason,
      /** What the decision stood on, a sentence each. */
      evidence: z.array(z.string().max(500)).max(20),
      to: DeploymentId.nullable(),
      /** How it will end when nothing goes wrong. */
      outcome: RollbackOutcome,
      /** Whether the deployment had completed before: its predecessor is then started beside it. */
      wasCompleted: z.boolean(),
      by: by.nullable(),
      fence,
      dueAt,
    }),
  ),
  DeploymentRolledBack: event(z.strictObject({ to: DeploymentId, reason })),
  RollbackFailed: event(z.strictObject({ reason })),
  /** It failed and there was nothing to return to. */
  DeploymentFailed: event(z.strictObject({ reason })),
  DeploymentCancelled: event(z.strictObject({ reason })),
  DeploymentSuperseded: event(z.strictObject({ reason, by: DeploymentId })),
  UndeployStarted: event(z.strictObject({ by, reason, fence })),
  DeploymentUndeployed: event(z.strictObject({ reason })),
} as const;
export type DeploymentEvent = EventsOf<typeof deploymentEvents>;
