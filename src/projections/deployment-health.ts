/**
 * How the instances of deployments are, folded from their reports. The most frequent event touches two documents: what readers join
 * stays small, and what is known of each instance lies beside it. What the summaries are made of lies in a third, touched once a minute.
 */
import type { Collection, Documents } from '../core/projection.ts';
import {
  countInstances,
  expected,
  forgotten,
  type Instances,
  withReports,
} from '../domain/deployment/instances.ts';
import type { DeploymentRequest } from '../domain/deployment/events.ts';
import { healthEvents } from '../domain/health.ts';
import {
  apart,
  continued,
  countedOn,
  type HealthRecord,
  noRecord,
  recorded,
  stopped,
  summarised,
  summaryDueAt,
  together,
} from '../domain/health/record.ts';
import type { Span } from '../domain/health/span.ts';
import { type DeploymentId, TenantId } from '../domain/ids.ts';
import type { ReadModels, Scope } from '../ports/read-models.ts';
import { on } from './event-data.ts';

/** By deployment; absent before the first report. */
export interface DeploymentHealth {
  readonly deploymentId: DeploymentId;
  /** As of the last report. */
  readonly healthyInstances: number;
  readonly unhealthyInstances: number;
  /** When somebody last learned how an instance is, ISO 8601; null: never. */
  readonly lastHealthCheck: string | null;
  /** From then on, wall milliseconds, all are unknown unless somebody reports. */
  readonly knownUntil: number;
  /** The minute that goes on; the rest of the record is a document of its own. */
  readonly open: Span | null;
  /** When a slot of the record can be summarised, wall milliseconds; null: none waits. */
  readonly summaryDueAt: number | null;
  /** Where the stream of reports began anew: by how much the record counts its revisions on. */
  readonly countedOn?: number;
}

export const deploymentHealth: Collection<DeploymentHealth> = {
  name: 'deployment_health',
  visibility: 'tenant',
  indexes: [{ fields: ['deploymentId'] }, { fields: ['summaryDueAt'] }],
  text: [],
};

export const deploymentInstances: Collection<Instances> = {
  name: 'deployment_instances',
  visibility: 'tenant',
  indexes: [],
  text: [],
};

/** By deployment, without its open minute. */
export const healthRecords: Collection<HealthRecord> = {
  name: 'health_records',
  visibility: 'tenant',
  indexes: [],
  text: [],
};

export const onHealthObserved = on(
  healthEvents.InstanceHealthObserved,
  async (observed, documents, { metadata, revision }) => {
    const { deploymentId, tenant, reports } = observed;
    const expecting = await documents.get(deploymentInstances, deploymentId);
    const at = Date.parse(metadata.at);
    const counted = expecting && withReports(expecting, observed, at);
    if (!counted) return;
    const { instances, tally } = counted;
    documents.put(deploymentInstances, deploymentId, tenant, instances);
    const counts = countInstances(instances, at);
    const known = await documents.get(deploymentHealth, deploymentId);
    const answered = reports.some(({ outcome }) => outcome !== 'error');
    const last = known?.lastHealthCheck ?? null;
    const health = {
      deploymentId,
      healthyInstances: counts.healthy,
      unhealthyInstances: counts.unhealthy,
      lastHealthCheck: answered && (last === null || metadata.at > last) ? metadata.at : last,
      knownUntil: answered ? at + instances.staleAfterMs : (known?.knownUntil ?? 0),
    };
    const before = known?.countedOn ?? 0;
    const batch = { at, tally, healthy: counts.healthy, unhealthy: counts.unhealthy };
    const next = { ...batch, revision: revision + before };
    const open = known?.open && next.revision > known.open.through ? continued(known.open, next) : null;
    if (open && known) {
      documents.put(deploymentHealth, deploymentId, tenant, { ...known, ...health, open });
      return;
    }
    const record = await recordOf(documents, deploymentId, known);
    const by = countedOn(record, before, revision);
    const told = recorded(record, { ...batch, revision: revision + by });
    put(documents, tenant, by === 0 ? health : { ...health, countedOn: by }, told);
  },
);

async function recordOf(
  documents: Documents,
  deploymentId: DeploymentId,
  known: DeploymentHealth | null,
): Promise<HealthRecord> {
  return together((await documents.get(healthRecords, deploymentId)) ?? noRecord, known?.open ?? null);
}

/** Begins to count. */
export function expectHealth(documents: Documents, request: DeploymentRequest): void {
  const { deploymentId, tenant, healthCheck, totalInstances } = request;
  documents.put(deploymentInstances, deploymentId, tenant, expected(healthCheck, totalInstances));
}

/** Forgets all instances: they were stopped. @param event.epoch the first whose reports count again @param event.at ISO 8601 */
export async function forgetHealth(
  documents: Documents,
  deploymentId: DeploymentId,
  tenant: TenantId,
  event: { readonly epoch: number; readonly at: string },
): Promise<void> {
  const instances = await documents.get(deploymentInstances, deploymentId);
  if (!instances) return;
  documents.put(deploymentInstances, deploymentId, tenant, forgotten(instances, event.epoch));
  const known = await documents.get(deploymentHealth, deploymentId);
  if (!known) return;
  const none = { healthyInstances: 0, unhealthyInstances: 0, knownUntil: 0 };
  const record = await recordOf(documents, deploymentId, known);
  put(documents, tenant, { ...known, ...none }, stopped(record, Date.parse(event.at)));
}

/** What a summary covers waits no longer. Of a deployment whose reports have expired, it is all that is known. */
export async function rememberSummary(
  documents: Documents,
  deploymentId: DeploymentId,
  tenant: TenantId,
  summary: Span,
): Promise<void> {
  const known = await documents.get(deploymentHealth, deploymentId);
  const unknown = { deploymentId, healthyInstances: 0, unhealthyInstances: 0, knownUntil: 0 };
  const lastHealthCheck = new Date(summary.lastReportAt).toISOString();
  const record = summarised(await recordOf(documents, deploymentId, known), summary);
  put(documents, tenant, known ?? { ...unknown, lastHealthCheck }, record);
}

function put(
  documents: Documents,
  tenant: TenantId,
  health: Omit<DeploymentHealth, 'open' | 'summaryDueAt'>,
  record: HealthRecord,
): void {
  const { rest, open } = apart(record);
  const { deploymentId } = health;
  documents.put(healthRecords, deploymentId, tenant, rest);
  const document = { ...health, open, summaryDueAt: summaryDueAt(record) };
  documents.put(deploymentHealth, deploymentId, tenant, document);
}

/** Deployments with a slot to be summarised, the longest due first. @param nowMs wall milliseconds @param limit 1..1,000 */
export async function dueSummaries(
  models: ReadModels,
  nowMs: number,
  limit: number,
): Promise<readonly DeploymentId[]> {
  const { documents } = await models.find<DeploymentHealth>(deploymentHealth.name, {
    scope: { kind: 'platform' },
    filter: { range: ['summaryDueAt', { lte: nowMs }] },
    sort: [{ path: 'summaryDueAt', order: 'asc' }],
    limit,
  });
  return documents.map(({ data }) => data.deploymentId);
}

export interface KnownHealth {
  readonly tenant: TenantId;
  readonly health: DeploymentHealth;
  readonly record: HealthRecord;
}

/** Null before the first report, or where there is no such deployment within the scope. */
export async function getKnownHealth(
  models: ReadModels,
  scope: Scope,
  deploymentId: DeploymentId,
): Promise<KnownHealth | null> {
  const found = await models.get<DeploymentHealth>(deploymentHealth.name, deploymentId, scope);
  if (!found) return null;
  // In this order: a minute that has ended meanwhile is among the rest.
  const rest = await models.get<HealthRecord>(healthRecords.name, deploymentId, scope);
  const record = together(rest?.data ?? noRecord, found.data.open);
  return { tenant: TenantId.parse(found.tenant), health: found.data, record };
}
