/** Deployments as the Plugin Manager API writes them: requests, answers, and how answers are made. */
import { z } from 'zod';
import type { DeploymentRequest } from '../../domain/deployment/events.ts';
import { HealthCheck } from '../../domain/deployment/health-check.ts';
import { RolloutPlan } from '../../domain/deployment/plan.ts';
import type { DeploymentStatus } from '../../domain/deployment/status.ts';
import { Environment, PluginId, TenantId } from '../../domain/ids.ts';
import type { DeploymentPage, DeploymentView } from '../../projections/deployment-views.ts';
import * as examples from './answer-examples.ts';
import { pageMembers, pagingQuery } from './paging.ts';

// Requests

const configurationBytes = 65_536;

/** How deep it goes, the depth of the whole body bounds. */
const Configuration = z
  .record(z.string(), z.json())
  .refine(
    (configuration) => Buffer.byteLength(JSON.stringify(configuration)) <= configurationBytes,
    'Must not be longer than 64 KiB',
  );

/** What the values mean is the business of domain/deployment/plan.ts, which knows the strategies. */
const StrategyConfig = z
  .record(z.string(), z.string().max(1_000))
  .refine((config) => Object.keys(config).length <= 50, 'Must not have more than 50 settings');

const HealthCheckBody = z.strictObject({
  type: z.string().max(100).optional(),
  httpEndpoint: z.string().max(1_000).optional(),
  intervalSeconds: z.number().optional(),
  timeoutSeconds: z.number().optional(),
  failureThreshold: z.number().optional(),
  successThreshold: z.number().optional(),
});

/** Which names and numbers make sense is the business of domain/deployment/analysis.ts. */
const AnalysisBody = z.strictObject({
  metric: z.string().max(100).meta({
    description: 'errorRate (0 to 1), responseTime (ms) or a name of your own',
    example: 'errorRate',
  }),
  max: z.number().meta({ description: 'A higher value breaks the limit', example: 0.01 }),
  intervalSeconds: z.number().optional().meta({ description: 'One (the default) to eight probe intervals' }),
  failureLimit: z.number().optional().meta({ description: 'So many broken intervals are borne: 0 to 4' }),
  minRequests: z.number().optional().meta({ description: 'With fewer, an interval is inconclusive' }),
});

export const DeployPluginBody = z
  .strictObject({
    pluginId: PluginId,
    pluginVersion: z.string().min(1).max(100),
    tenantId: TenantId,
    environment: Environment,
    strategy: z.string().max(100).optional().meta({ description: 'Direct (the default) or Canary' }),
    strategyConfig: StrategyConfig.optional().meta({
      description: 'Settings of the strategy; every value is a string',
    }),
    configuration: Configuration.optional().meta({
      description: 'For the plugin, at most 64 KiB; ${secret:name} stays as it is until an instance starts',
    }),
    healthCheck: HealthCheckBody.optional(),
    totalInstances: z.number().optional().meta({ description: '1 (the default) to 1,000' }),
    force: z.boolean().optional().meta({
      description:
        'Deploys again at once what was just rolled back automatically, and breaks what others require',
    }),
    supersede: z.boolean().optional().meta({
      description: 'Ends the rollout that is in flight first, and starts from what was there before it',
    }),
    dryRun: z.boolean().optional().meta({
      description: 'Answers 200 with what the deployment would do, and does nothing',
    }),
    analysis: z.array(AnalysisBody).optional().meta({
      description: 'Metrics that new instances are held to, at most 10',
    }),
  })
  .meta({
    id: 'NewDeployment',
    example: {
      pluginId: 'payment-stripe',
      pluginVersion: '2.0.0',
      tenantId: 'tenant-acme-corp',
      environment: 'Production',
      strategy: 'Canary',
      strategyConfig: { canaryPercentage: '10', stages: '10,30,50,100', stageInterval: '300' },
      configuration: {
        apiKey: '${secret:stripe-api-key}',
        webhookUrl: 'https://acme.com/stripe/webhook',
      },
      healthCheck: {
        type: 'HttpEndpoint',
        httpEndpoint: '/health',
        intervalSeconds: 30,
        failureThreshold: 3,
      },
      totalInstances: 10,
    },
  });

export const deploymentStatuses = [
  ...(['Pending', 'InProgress', 'Paused', 'RollingBack', 'RolledBack', 'RollbackFailed'] as const),
  ...(['Completed', 'Failed', 'Cancelled', 'Superseded', 'Undeployed'] as const),
] as const satisfies readonly DeploymentStatus[];

export const ListDeploymentsQuery = z.strictObject({
  tenantId: z.string().max(100).optional().meta({ example: 'tenant-acme-corp' }),
  pluginId: z.string().max(100).optional().meta({ example: 'payment-stripe' }),
  environment: z
    .string()
    .max(100)
    .optional()
    .meta({ description: 'In upper or lower case', example: 'Production' }),
  status: z.enum(deploymentStatuses).optional().meta({ example: 'Completed' }),
  ...pagingQuery,
});

/** Any text: what is no id of a deployment does not exist. */
export const DeploymentParams = z.strictObject({ deploymentId: z.string() });

export const RollBackBody = z
  .strictObject({ reason: z.string().trim().min(1).max(1_000).default('A rollback was requested') })
  .prefault({})
  .meta({ example: { reason: 'High error rate detected' } });

// Answers

const instant = z.iso.datetime().meta({ example: '2025-11-23T12:00:00.000Z' });

const deployedMembers = {
  deploymentId: z.string().meta({ example: 'dep-5f0c1d2e3a4b5c6d7e8f' }),
  pluginId: z.string(),
  pluginVersion: z.string(),
  tenantId: z.string(),
  environment: z.string(),
  strategy: z.string(),
  status: z.enum(deploymentStatuses),
  phase: z.string().meta({ description: 'Finer than the status', example: 'Baking' }),
  stage: z.int().meta({ description: 'From 1; 0 before the first' }),
  stages: z.int(),
  progress: z.int().meta({ description: 'Percent of all instances that run this version and are ready' }),
  totalInstances: z.int(),
  runtime: z.string().meta({ description: 'What runs the instances; simulated: nothing does' }),
  startedAt: instant,
};

export const Warnings = z.array(z.strictObject({ field: z.string(), message: z.string() })).meta({
  description:
    'What may keep instances from starting, and can still be mended: secrets that do not exist yet',
});
export const DeployedAnswer = z
  .object({ ...deployedMembers, warnings: Warnings })
  .meta({ id: 'AcceptedDeployment', example: examples.acceptedDeployment });

const DeploymentSummary = z
  .object({
    ...deployedMembers,
    reason: z
      .string()
      .nullable()
      .meta({ description: 'Why it is paused, goes back or ended; null: all is well' }),
    healthyInstances: z.int(),
    unhealthyInstances: z.int(),
    lastHealthCheck: instant.nullable(),
    deployedBy: z.string().meta({
      description: 'E-mail address, or the id of a user who was forgotten',
      example: 'admin@acme.com',
    }),
    previousDeploymentId: z.string().nullable().meta({ description: 'Where a rollback returns to' }),
    completedAt: instant.nullable(),
    rolledBackAt: instant.nullable().meta({ description: 'When a rollback was accepted' }),
    estimatedCompletionAt: instant.nullable().meta({ description: 'Null: nobody can tell, or it has ended' }),
    updatedAt: instant,
  })
  .meta({ id: 'DeploymentSummary' });
export const DeploymentListAnswer = z
  .object({ deployments: z.array(DeploymentSummary), ...pageMembers })
  .meta({ id: 'DeploymentPage', example: examples.deploymentPage });

export const DeploymentAnswer = DeploymentSummary.extend({
  plan: RolloutPlan,
  healthCheck: HealthCheck,
  configuration: z.record(z.string(), z.json()),
}).meta({ id: 'Deployment', example: examples.shownDeployment });

export const RolledBackAnswer = z
  .object({
    deploymentId: z.string(),
    status: z.enum(['RollingBack', 'RolledBack']),
    previousDeploymentId: z.string().nullable(),
    rolledBackAt: instant.meta({ description: 'When the rollback was accepted' }),
  })
  .meta({ id: 'AcceptedRollback', example: examples.rolledBack });

/** @param startedAt when it was recorded, ISO 8601 */
export function deployedAnswer(
  request: DeploymentRequest,
  startedAt: string,
): Omit<z.output<typeof DeployedAnswer>, 'warnings'> {
  return {
    deploymentId: request.deploymentId,
    pluginId: request.plugin,
    pluginVersion: request.pluginVersion,
    tenantId: request.tenant,
    environment: request.environment,
    strategy: request.plan.strategy,
    status: 'Pending',
    phase: 'Pending',
    stage: 0,
    stages: request.plan.stages.length,
    progress: 0,
    totalInstances: request.totalInstances,
    runtime: request.runtime,
    startedAt,
  };
}

type Emails = ReadonlyMap<string, string>;

/** @param emails of users by their ids, as far as they are known */
export function deploymentListAnswer(
  { deployments, total }: DeploymentPage,
  emails: Emails,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): z.output<typeof DeploymentListAnswer> {
  return { deployments: deployments.map((view) => summaryOf(view, emails)), total, limit, offset };
}

export function deploymentAnswer(view: DeploymentView, emails: Emails): z.output<typeof DeploymentAnswer> {
  const { plan, healthCheck, configuration } = view;
  return { ...summaryOf(view, emails), plan, healthCheck, configuration };
}

function summaryOf(view: DeploymentView, emails: Emails): z.output<typeof DeploymentSummary> {
  const {
    plan: _plan,
    healthCheck: _healthCheck,
    configuration: _configuration,
    dueAt: _dueAt,
    revision: _revision,
    ...shown
  } = view;
  return { ...shown, deployedBy: emails.get(view.deployedBy) ?? view.deployedBy };
}
