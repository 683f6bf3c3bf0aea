/** What a deployment would do, as the Plugin Manager API answers `dryRun: true`. */
import { z } from 'zod';
import { Warnings } from './deployment-schemas.ts';
import type { DeployInput } from '../../commands/check-deployment.ts';
import type { TriedDeployment } from '../../commands/try-deployment.ts';
import { AnalysisMetric } from '../../domain/deployment/analysis.ts';
import { HealthCheck } from '../../domain/deployment/health-check.ts';

const Reserved = z.object({
  plugins: z.int(),
  cpu: z.number(),
  memoryMB: z.number(),
  instances: z.int(),
});

export const DryRunAnswer = z.object({
  dryRun: z.literal(true),
  pluginId: z.string(),
  pluginVersion: z.string(),
  tenantId: z.string(),
  environment: z.string(),
  strategy: z.string(),
  runtime: z.string(),
  totalInstances: z.int(),
  stages: z.array(
    z.object({
      stage: z.int().meta({ description: 'From 1' }),
      percent: z.int(),
      instances: z.int(),
      bakeSeconds: z.number(),
      approval: z.boolean().meta({ description: 'Whether a person must approve what follows' }),
    }),
  ),
  shortestSeconds: z.number().meta({ description: 'The sum of all bakes' }),
  onFailure: z.enum(['rollback', 'pause']),
  progressDeadlineSeconds: z.number(),
  healthCheck: HealthCheck,
  analysis: z.array(AnalysisMetric),
  quota: z.object({
    reserved: Reserved.meta({ description: 'By the tenant, as of now' }),
    atPeak: Reserved.meta({ description: 'While the old instances and all of the new run' }),
    limits: z
      .record(z.string(), z.number().nullable())
      .meta({ description: 'Of the tenant; null: there is none' }),
  }),
  dependencies: z.array(
    z.object({ pluginId: z.string(), versionConstraint: z.string(), current: z.string().nullable() }),
  ),
  replaces: z.object({ deploymentId: z.string(), pluginVersion: z.string() }).nullable(),
  supersedes: z.string().nullable().meta({ description: 'The rollout that it would end first' }),
  warnings: Warnings,
});

export function dryRunAnswer(
  input: DeployInput,
  tried: TriedDeployment,
): Omit<z.output<typeof DryRunAnswer>, 'warnings'> {
  const { plan, healthCheck, totalInstances, reserved, atPeak, quotas, dependencies } = tried;
  return {
    dryRun: true,
    pluginId: input.pluginId,
    pluginVersion: tried.pluginVersion,
    tenantId: input.tenantId,
    environment: input.environment,
    strategy: plan.strategy,
    runtime: tried.runtime,
    totalInstances,
    stages: plan.stages.map(({ percent, instances, bakeMs, approval }, index) => ({
      ...{ stage: index + 1, percent, instances, bakeSeconds: bakeMs / 1000, approval },
    })),
    shortestSeconds: plan.stages.reduce((sum, { bakeMs }) => sum + bakeMs, 0) / 1000,
    onFailure: plan.onFailure,
    progressDeadlineSeconds: plan.progressDeadlineMs / 1000,
    healthCheck,
    analysis: plan.analysis,
    quota: { reserved, atPeak, limits: { ...quotas } },
    dependencies: [...dependencies],
    replaces: tried.replaces,
    supersedes: tried.supersedes,
  };
}
