/** What a tenant is told of its deployments: each time that what is shown of one has changed. */
import { deployment, stageOf } from '../../domain/deployment/deployment.ts';
import type {
  Advancing,
  Deployment,
  DeploymentState,
  RollingBack,
} from '../../domain/deployment/deployment.ts';
import { deploymentEvents, type DeploymentEvent } from '../../domain/deployment/events.ts';
import { progressOf, statusOf } from '../../domain/deployment/status.ts';
import type { JsonObject } from '../../ports/event-store.ts';
import { pluginNames, snakeCase, type Telling, type Tellings } from './telling.ts';
import type { AnnouncementType } from './types.ts';

/** Events that have a name of their own outside, beside the change of what is shown. */
const named: Partial<Record<DeploymentEvent['type'], AnnouncementType>> = {
  DeploymentRequested: 'deployment:requested',
  ApprovalRequested: 'deployment:approval_requested',
  RolloutPaused: 'deployment:paused',
  RolloutResumed: 'deployment:resumed',
  RollbackStarted: 'deployment:rolling_back',
  DeploymentCompleted: 'deployment:completed',
  DeploymentRolledBack: 'deployment:rolled_back',
  RollbackFailed: 'deployment:rollback_failed',
  DeploymentFailed: 'deployment:failed',
  DeploymentRefused: 'deployment:cancelled',
  DeploymentCancelled: 'deployment:cancelled',
  DeploymentSuperseded: 'deployment:superseded',
  DeploymentUndeployed: 'deployment:undeployed',
};

const onChanged: Telling = async (event, { past }) => {
  const { before, after } = await past.around(deployment, event);
  if (after.phase === 'None') return [];
  const shown = shownOf(after);
  if (before.phase !== 'None' && JSON.stringify(shownOf(before)) === JSON.stringify(shown)) return [];
  const { request } = after;
  const { tenant } = request;
  const names = await pluginNames(past, request.plugin, event.position);
  const data = {
    deploymentId: request.deploymentId,
    service: request.plugin,
    environment: request.environment.toLowerCase(),
    ...shown,
    tenantId: tenant,
    ...names,
    version: request.pluginVersion,
    strategy: snakeCase(request.plan.strategy),
    instances: request.totalInstances,
    previousDeploymentId: request.previousDeploymentId,
  };
  const visibility = 'tenant';
  const status = { type: 'deployment:status', tenant, visibility, data } as const;
  // The type of the event says which data it has.
  const happened = { type: event.type, data: event.data } as { readonly type: string } as DeploymentEvent;
  const type = named[happened.type];
  return type
    ? [status, { type, tenant, visibility, data: { ...data, ...more(happened, before) } }]
    : [status];
};

/** What follows from the deployment's own stream. */
function shownOf(state: Deployment) {
  const { status, phase, stage, stages, reason } = statusOf(state);
  return {
    status: snakeCase(status),
    /** Percent of all instances that run the new version, as of the stage that was reached last. */
    progress: progressOf(state, instancesReached(state)),
    step: stepOf(state),
    phase: snakeCase(phase),
    stage,
    stages,
    reason,
  };
}

/** How many instances of the new version were ready at once, as far as the deployment's own events tell. */
function instancesReached(state: Deployment): number {
  if (state.phase === 'Promoting') return state.request.totalInstances;
  const { phase, stage } = state.phase === 'Paused' ? state.from : { stage: 0, ...state };
  const reached = phase === 'Provisioning' ? stage - 1 : stage;
  return state.request.plan.stages[reached]?.instances ?? 0;
}

/** What goes on, for people. */
function stepOf(state: Deployment): string {
  if (state.phase === 'Pending') return 'Waiting for its turn';
  if (state.phase === 'Refused') return 'Cancelled';
  if (state.phase === 'Provisioning') return `Starting ${ofInstances(state)}`;
  if (state.phase === 'Baking') return `Watching ${ofInstances(state)}`;
  if (state.phase === 'Approval') return `Waiting for approval after ${ofInstances(state)}`;
  const words = snakeCase(state.phase).replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function ofInstances({ request, stage }: Deployment & Advancing): string {
  const { instances } = stageOf(request, stage);
  return `${instances} of ${request.totalInstances} instances (stage ${stage + 1} of ${request.plan.stages.length})`;
}

/** What only the announcement of its own name carries. */
function more({ type, data }: DeploymentEvent, before: DeploymentState): JsonObject {
  if (type === 'ApprovalRequested') return { expiresAt: data.expiresAt };
  if (type === 'RolloutPaused') return { cause: snakeCase(data.cause) };
  if (type === 'RollbackStarted') return whyBack(data);
  return before.phase === 'RollingBack' ? whyBack(before) : {};
}

/** Told when it begins, and again when it has ended: who is woken by the end knows what the decision stood on. */
function whyBack({ cause, evidence, to }: Pick<RollingBack, 'cause' | 'evidence' | 'to'>): JsonObject {
  return { cause: snakeCase(cause), evidence, returnsTo: to };
}

export const deploymentTellings: Tellings = Object.fromEntries(
  Object.keys(deploymentEvents).map((type) => [type, onChanged]),
);
