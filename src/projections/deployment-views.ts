/** Deployments as people see them: what is stored, joined with how the instances are, and what follows from both at a moment. */
import { instancesWanted } from '../domain/deployment/desired.ts';
import type { DeploymentRequest } from '../domain/deployment/events.ts';
import { estimatedCompletionAt, progressOf, statusOf, type Status } from '../domain/deployment/status.ts';
import type { DeploymentId } from '../domain/ids.ts';
import type { Document, Filter, ReadModels, Scope } from '../ports/read-models.ts';
import { deploymentHealth, type DeploymentHealth } from './deployment-health.ts';
import { deployments, type DeploymentDocument } from './deployments.ts';

/** Times are ISO 8601. `reason` says why it is paused, goes back or ended. */
export interface DeploymentView
  extends
    Status,
    Pick<
      DeploymentDocument,
      | ('deploymentId' | 'pluginId' | 'pluginVersion' | 'tenantId' | 'environment' | 'strategy')
      | (
          | 'runtime'
          | 'deployedBy'
          | 'startedAt'
          | 'completedAt'
          | 'rolledBackAt'
          | 'updatedAt'
          | 'revision'
          | 'dueAt'
        )
    >,
    Pick<
      DeploymentRequest,
      'plan' | 'healthCheck' | 'configuration' | 'previousDeploymentId' | 'totalInstances'
    > {
  /** 0 to 100: of all instances those that run the new version and are ready. */
  readonly progress: number;
  readonly healthyInstances: number;
  /** Failing though they once passed; those that still start are neither. */
  readonly unhealthyInstances: number;
  readonly lastHealthCheck: string | null;
  /** Null where nobody can tell: it waits for a person, or has ended. */
  readonly estimatedCompletionAt: string | null;
}

export interface DeploymentQuery {
  readonly tenantId?: string | undefined;
  readonly pluginId?: string | undefined;
  /** In any case. */
  readonly environment?: string | undefined;
  readonly status?: string | undefined;
  /** 1..100. */
  readonly limit: number;
  readonly offset: number;
}

export interface DeploymentPage {
  readonly deployments: readonly DeploymentView[];
  /** How many match, on all pages. */
  readonly total: number;
}

/** The newest first. @param wallMs wall time, for the estimates */
export async function listDeployments(
  models: ReadModels,
  scope: Scope,
  query: DeploymentQuery,
  wallMs: number,
): Promise<DeploymentPage> {
  const asked = { scope, ...filterOf(query) };
  const [total, page] = await Promise.all([
    models.count(deployments.name, asked),
    models.find<DeploymentDocument>(deployments.name, {
      ...asked,
      sort: [{ path: 'startedAt', order: 'desc' }],
      limit: query.limit,
      offset: query.offset,
    }),
  ]);
  const health = await healthOf(models, scope, page.documents);
  const views = page.documents.map(({ data }) => viewOf(data, health.get(data.deploymentId) ?? null, wallMs));
  return { deployments: views, total };
}

/** Null when there is none within the scope. @param wallMs wall time, for the estimate */
export async function getDeployment(
  models: ReadModels,
  scope: Scope,
  deploymentId: DeploymentId,
  wallMs: number,
): Promise<DeploymentView | null> {
  const [found, health] = await Promise.all([
    models.get<DeploymentDocument>(deployments.name, deploymentId, scope),
    models.get<DeploymentHealth>(deploymentHealth.name, deploymentId, scope),
  ]);
  return found && viewOf(found.data, health?.data ?? null, wallMs);
}

function filterOf(query: DeploymentQuery): { readonly filter?: Filter } {
  const { tenantId, pluginId, environment, status } = query;
  const wanted = { tenantId, pluginId, environmentKey: environment?.toLowerCase(), status };
  const and = Object.entries(wanted).flatMap(([path, value]): Filter[] =>
    value === undefined ? [] : [{ equal: [path, value] }],
  );
  return and.length === 0 ? {} : { filter: { and } };
}

async function healthOf(
  models: ReadModels,
  scope: Scope,
  found: readonly Document<DeploymentDocument>[],
): Promise<ReadonlyMap<DeploymentId, DeploymentHealth>> {
  if (found.length === 0) return new Map();
  const filter: Filter = { in: ['deploymentId', found.map(({ id }) => id)] };
  const { documents } = await models.find<DeploymentHealth>(deploymentHealth.name, {
    scope,
    filter,
    limit: found.length,
  });
  return new Map(documents.map(({ data }) => [data.deploymentId, data]));
}

function viewOf(found: DeploymentDocument, health: DeploymentHealth | null, wallMs: number): DeploymentView {
  const { state } = found;
  const { request } = state;
  const counted = health && wantedOf(found) > 0 && wallMs <= health.knownUntil ? health : null;
  const ready = counted?.healthyInstances ?? 0;
  const estimate = estimatedCompletionAt(state, wallMs);
  return {
    deploymentId: found.deploymentId,
    pluginId: found.pluginId,
    pluginVersion: found.pluginVersion,
    tenantId: found.tenantId,
    environment: found.environment,
    strategy: found.strategy,
    ...statusOf(state),
    progress: progressOf(state, ready),
    totalInstances: request.totalInstances,
    healthyInstances: ready,
    unhealthyInstances: counted?.unhealthyInstances ?? 0,
    lastHealthCheck: health?.lastHealthCheck ?? null,
    runtime: found.runtime,
    plan: request.plan,
    healthCheck: request.healthCheck,
    configuration: request.configuration,
    previousDeploymentId: request.previousDeploymentId,
    deployedBy: found.deployedBy,
    startedAt: found.startedAt,
    completedAt: found.completedAt,
    rolledBackAt: found.rolledBackAt,
    updatedAt: found.updatedAt,
    revision: found.revision,
    dueAt: found.dueAt,
    estimatedCompletionAt: estimate === null ? null : new Date(estimate).toISOString(),
  };
}

/** How many instances of it are to run. */
export function wantedOf({ inSlot, state }: DeploymentDocument): number {
  return inSlot ? instancesWanted(state) : 0;
}
