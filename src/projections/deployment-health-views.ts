/** The health of deployments as people see it: how the instances are at a moment, and how they were. */
import {
  countInstances,
  healthStatus,
  type HealthStatus,
  type Instances,
} from '../domain/deployment/instances.ts';
import { type HealthPoint, historyOf } from '../domain/health/history.ts';
import { latest, noRecord } from '../domain/health/record.ts';
import { type HealthMetrics, metricsOf, noTally, plus } from '../domain/health/tally.ts';
import { staleAfterMs } from '../domain/deployment/health-check.ts';
import type { DeploymentId } from '../domain/ids.ts';
import type { ReadModels, Scope } from '../ports/read-models.ts';
import { deploymentInstances, getKnownHealth } from './deployment-health.ts';
import { wantedOf } from './deployment-views.ts';
import { deployments, type DeploymentDocument } from './deployments.ts';
import { summariesOf } from './health-history.ts';

export interface HealthView {
  readonly deploymentId: DeploymentId;
  readonly runtime: DeploymentDocument['runtime'];
  readonly status: HealthStatus;
  readonly totalInstances: number;
  /** How many are to run now. */
  readonly expectedInstances: number;
  readonly healthyInstances: number;
  /** Failing though they once passed. */
  readonly unhealthyInstances: number;
  /** Not ready yet, or not ready again. */
  readonly startingInstances: number;
  /** Silent for three intervals and a time-out, or never heard of. */
  readonly unknownInstances: number;
  /** Over the five minutes up to the last report; of instances that are all unknown, nothing. */
  readonly metrics: HealthMetrics;
  /** ISO 8601; null: never. */
  readonly lastHealthCheck: string | null;
}

/** Null when there is no such deployment within the scope. @param wallMs as of when */
export async function getHealth(
  models: ReadModels,
  scope: Scope,
  deploymentId: DeploymentId,
  wallMs: number,
): Promise<HealthView | null> {
  const [found, known, told] = await Promise.all([
    models.get<DeploymentDocument>(deployments.name, deploymentId, scope),
    getKnownHealth(models, scope, deploymentId),
    models.get<Instances>(deploymentInstances.name, deploymentId, scope),
  ]);
  if (!found) return null;
  const wanted = wantedOf(found.data);
  const counts =
    told && wanted > 0 ? countInstances(told.data, wallMs) : { healthy: 0, unhealthy: 0, starting: 0 };
  const { healthy, unhealthy, starting } = counts;
  const status = healthStatus(counts, wanted);
  const measured = status === 'Unknown' ? [] : latest(known?.record ?? noRecord);
  return {
    deploymentId,
    runtime: found.data.runtime,
    status,
    totalInstances: found.data.state.request.totalInstances,
    expectedInstances: wanted,
    healthyInstances: healthy,
    unhealthyInstances: unhealthy,
    startingInstances: starting,
    unknownInstances: Math.max(0, wanted - healthy - unhealthy - starting),
    metrics: metricsOf(measured.map(({ tally }) => tally).reduce(plus, noTally)),
    lastHealthCheck: known?.health.lastHealthCheck ?? null,
  };
}

export interface HistoryView {
  readonly deploymentId: DeploymentId;
  readonly runtime: DeploymentDocument['runtime'];
  readonly points: readonly HealthPoint[];
}

/** What the document of the API allows (decisions 28). */
const mostPoints = 500;

/**
 * Null when there is no such deployment within the scope.
 * @param windowMs up to 90 days, in milliseconds @param wallMs where the window ends
 */
export async function getHealthHistory(
  models: ReadModels,
  scope: Scope,
  deploymentId: DeploymentId,
  windowMs: number,
  wallMs: number,
): Promise<HistoryView | null> {
  const from = wallMs - windowMs;
  const [found, known] = await Promise.all([
    models.get<DeploymentDocument>(deployments.name, deploymentId, scope),
    getKnownHealth(models, scope, deploymentId),
  ]);
  if (!found) return null;
  // Read after the record: whatever has left it by now is among the summaries.
  const summaries = await summariesOf(models, scope, deploymentId, from);
  const record = known?.record ?? noRecord;
  const covered = summaries.at(-1)?.through ?? record.summarisedThrough;
  const fresh = record.spans.filter(({ after }) => after >= covered);
  const points = historyOf({
    spans: [...summaries, ...fresh],
    staleAfterMs: staleAfterMs(found.data.state.request.healthCheck),
    stoppedAt: record.stoppedAt,
    ...{ from, now: wallMs, most: mostPoints },
  });
  return { deploymentId, runtime: found.data.runtime, points };
}
