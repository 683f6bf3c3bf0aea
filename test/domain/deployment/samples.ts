/** Deployments to test with: ids, requests, plans. */
import { expect } from 'chai';
import { DeploymentId, Environment, PluginId, TenantId, UserId } from '../../../src/domain/ids.ts';
import { isRefusal } from '../../../src/domain/refusal.ts';
import type { DeploymentEvent, DeploymentRequest } from '../../../src/domain/deployment/events.ts';
import { planRollout, type PlanInput } from '../../../src/domain/deployment/plan.ts';

export const newId = DeploymentId.parse('dep-new');
export const oldId = DeploymentId.parse('dep-old');
export const user = UserId.parse('usr_ada');
export const start = Date.parse('2026-01-01T00:00:00.000Z');
export const iso = (afterMs: number): string => new Date(start + afterMs).toISOString();

/** A canary of 10 instances in stages of 1, 3, 5, 10, unless said otherwise. */
export function request(
  plan: PlanInput = {},
  rest: Partial<Omit<DeploymentRequest, 'plan' | 'healthCheck' | 'totalInstances'>> = {},
): DeploymentRequest {
  const planned = planRollout({ strategy: 'Canary', totalInstances: 10, ...plan });
  if (isRefusal(planned)) expect.fail(planned.message);
  return {
    deploymentId: newId,
    tenant: TenantId.parse('tenant-acme'),
    environment: Environment.parse('Production'),
    plugin: PluginId.parse('payment-stripe'),
    pluginVersion: '2.0.0',
    ...planned,
    reserves: { cpu: 0.2, memoryMB: 256 },
    configuration: { apiKey: '${secret:stripe-api-key}' },
    configurationHash: 'hash',
    previousDeploymentId: oldId,
    runtime: 'simulated',
    scenario: null,
    requestedBy: user,
    ...rest,
  };
}

export const requested = (data: DeploymentRequest = request()): DeploymentEvent => ({
  type: 'DeploymentRequested',
  data,
});

export const stageStarted = (stage: number, instances: number, fence: number): DeploymentEvent => ({
  type: 'StageStarted',
  data: { stage, instances, fence, dueAt: iso(0) },
});

export const stageReached = (stage: number, instances: number, percent: number): DeploymentEvent => ({
  type: 'CanaryStageReached',
  data: { stage, instances, percent, dueAt: iso(0) },
});
