/** Deployments as people and the rollout process ask for them, each visible to its tenant and to the platform. */
import type { Collection, Documents, Projection } from '../core/projection.ts';
import { deployment, isAdvancing, type Deployment } from '../domain/deployment/deployment.ts';
import { epochOf, involved } from '../domain/deployment/desired.ts';
import { deploymentEvents, type DeploymentEvent } from '../domain/deployment/events.ts';
import { statusOf, type DeploymentStatus } from '../domain/deployment/status.ts';
import { slotKey, type DeploymentId, type Slot, type SlotKey } from '../domain/ids.ts';
import type { RecordedEvent } from '../ports/event-store.ts';
import type { ReadModels, Scope } from '../ports/read-models.ts';
import {
  deploymentHealth,
  deploymentInstances,
  expectHealth,
  forgetHealth,
  healthRecords,
  onHealthObserved,
} from './deployment-health.ts';
import { historyCollections, onHealthSummarised } from './health-history.ts';
import { onSlots, slotState, type FoldedSlot, type SlotMove } from './slot-fold.ts';

/** One deployment, by its id: the state of its aggregate, and beside it what is filtered and sorted by. Times are ISO 8601. */
export interface DeploymentDocument {
  readonly state: Deployment;
  readonly deploymentId: DeploymentId;
  readonly pluginId: string;
  readonly pluginVersion: string;
  readonly tenantId: string;
  /** As it was written. */
  readonly environment: string;
  /** In lower case: environments are compared without case (decisions 24). */
  readonly environmentKey: string;
  readonly strategy: Deployment['request']['plan']['strategy'];
  readonly status: DeploymentStatus;
  readonly slot: SlotKey;
  /** It may still move by itself: not completed, not ended. */
  readonly inFlight: boolean;
  /** It is current in its slot, in flight there, or what a rollback returns to: instances of it may run. */
  readonly inSlot: boolean;
  readonly runtime: Deployment['request']['runtime'];
  readonly deployedBy: string;
  /** It began with the deployment's request. */
  readonly correlationId: string;
  readonly startedAt: string;
  readonly completedAt: string | null;
  /** When a rollback was accepted (decisions 27). */
  readonly rolledBackAt: string | null;
  readonly updatedAt: string;
  /** Of the deployment's own stream. */
  readonly revision: number;
  /** When the rollout asked last to be looked at again; null: only news can move it. */
  readonly dueAt: string | null;
}

export const deployments: Collection<DeploymentDocument> = {
  name: 'deployments',
  visibility: 'tenant',
  indexes: [
    { fields: ['startedAt'] },
    { fields: ['tenantId', 'startedAt'] },
    { fields: ['pluginId', 'startedAt'] },
    { fields: ['environmentKey', 'startedAt'] },
    { fields: ['status', 'startedAt'] },
    { fields: ['inFlight'] },
    { fields: ['dueAt'] },
  ],
  text: [],
};

const deploymentSlots: Collection<FoldedSlot> = {
  name: 'deployment_slots',
  visibility: 'tenant',
  indexes: [],
  text: [],
};

export const deploymentsProjection: Projection = {
  name: 'deployments',
  version: 6,
  collections: [
    ...[deployments, deploymentHealth, deploymentInstances, healthRecords, deploymentSlots],
    ...historyCollections,
  ],
  on: {
    ...Object.fromEntries(Object.keys(deploymentEvents).map((type) => [type, follow])),
    ...onSlots(deploymentSlots, place),
    InstanceHealthObserved: onHealthObserved,
    HealthSummarised: onHealthSummarised,
  },
};

async function follow(event: RecordedEvent, documents: Documents): Promise<void> {
  const id = event.stream.slice('deployment-'.length);
  const found = await documents.get(deployments, id);
  // The projector decodes by the schemas of deploymentEvents before it hands an event over: the type says which data it has.
  const happened = { type: event.type, data: event.data } as { readonly type: string } as DeploymentEvent;
  const state = deployment.evolve(found?.state ?? deployment.initial, happened);
  if (state.phase === 'None') throw new Error(`${event.type} leaves no deployment`);
  const { request } = state;
  if (!found) expectHealth(documents, request);
  const slot = await slotState(deploymentSlots, documents, slotKey(request));
  const { at, correlationId } = event.metadata;
  if (happened.type === 'StageInterrupted')
    await forgetHealth(documents, request.deploymentId, request.tenant, { epoch: epochOf(slot, state), at });
  const known = found ?? {
    startedAt: at,
    completedAt: null,
    rolledBackAt: null,
    dueAt: null,
    correlationId,
    inSlot: involved(slot).includes(request.deploymentId),
  };
  documents.put(deployments, id, request.tenant, {
    ...known,
    ...fieldsOf(state),
    completedAt: happened.type === 'DeploymentCompleted' ? at : known.completedAt,
    rolledBackAt: startsReturning(happened) ? (known.rolledBackAt ?? at) : known.rolledBackAt,
    dueAt: mayMove(state) ? dueAfter(happened, known.dueAt) : null,
    updatedAt: at,
    revision: event.revision,
  });
}

function fieldsOf(state: Deployment) {
  const { request } = state;
  return {
    state,
    deploymentId: request.deploymentId,
    pluginId: request.plugin,
    pluginVersion: request.pluginVersion,
    tenantId: request.tenant,
    environment: request.environment,
    environmentKey: request.environment.toLowerCase(),
    strategy: request.plan.strategy,
    status: statusOf(state).status,
    slot: slotKey(request),
    inFlight: mayMove(state),
    runtime: request.runtime,
    deployedBy: request.requestedBy,
  };
}

function mayMove(state: Deployment): boolean {
  if (isAdvancing(state)) return true;
  return ['Pending', 'Paused', 'Promoting', 'RollingBack', 'Undeploying'].includes(state.phase);
}

/** An aborted rollout goes back as well, but nobody asked for a rollback. */
function startsReturning({ type, data }: DeploymentEvent): boolean {
  return type === 'RollbackStarted' && data.outcome === 'RolledBack';
}

function dueAfter({ type, data }: DeploymentEvent, before: string | null): string | null {
  if (type === 'ApprovalRequested') return data.expiresAt;
  // A pause ends by what somebody does or reports, never by time alone.
  if (type === 'RolloutPaused') return null;
  return 'dueAt' in data ? data.dueAt : before;
}

/** Follows which deployments have instances in a slot. The instances of those that come or go have been stopped, or never ran. */
async function place({ key, slot, before, after, event }: SlotMove, documents: Documents): Promise<void> {
  documents.put(deploymentSlots, key, slot.tenant, { state: after });
  const { at } = event.metadata;
  const [were, are] = [involved(before), involved(after)];
  for (const id of new Set([...were, ...are])) {
    const inSlot = are.includes(id);
    const found = were.includes(id) === inSlot ? null : await documents.get(deployments, id);
    if (!found) continue;
    documents.put(deployments, id, slot.tenant, { ...found, inSlot });
    await forgetHealth(documents, id, slot.tenant, { epoch: epochOf(after, null), at });
  }
  if (event.type !== 'RollbackClaimed' || !after.flight) return;
  const returning = await documents.get(deployments, after.flight.deploymentId);
  if (!returning) return;
  const accepted = { ...returning, rolledBackAt: at, updatedAt: at };
  documents.put(deployments, returning.deploymentId, slot.tenant, accepted);
}

// What the rollout process asks

const platform: Scope = { kind: 'platform' };
const pageSize = 200;

export interface InFlight {
  readonly deploymentId: DeploymentId;
  readonly slot: Slot;
  readonly correlationId: string;
}

/** All that had not ended, page by page, in the order of their ids. */
export async function* inFlightDeployments(models: ReadModels): AsyncGenerator<InFlight, void> {
  let cursor: string | undefined;
  do {
    const page = await models.find<DeploymentDocument>(deployments.name, {
      scope: platform,
      filter: { equal: ['inFlight', true] },
      limit: pageSize,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { data } of page.documents) {
      const { deploymentId, correlationId, state } = data;
      const { tenant, environment, plugin } = state.request;
      yield { deploymentId, slot: { tenant, environment, plugin }, correlationId };
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** A slot with a deployment that is due. */
export interface DueSlot {
  readonly key: SlotKey;
  /** ISO 8601. */
  readonly dueAt: string;
}

/**
 * The longest overdue first, one for each deployment.
 * @param span.after due later than this (ISO 8601); null: from the first @param span.nowMs wall milliseconds
 * @param limit 1..1,000
 */
export async function dueSlots(
  models: ReadModels,
  { after, nowMs }: { readonly after: string | null; readonly nowMs: number },
  limit: number,
): Promise<readonly DueSlot[]> {
  const lte = new Date(nowMs).toISOString();
  const page = await models.find<DeploymentDocument>(deployments.name, {
    scope: platform,
    filter: { range: ['dueAt', after === null ? { lte } : { gt: after, lte }] },
    sort: [{ path: 'dueAt', order: 'asc' }],
    limit,
  });
  return page.documents.flatMap(({ data: { slot, dueAt } }) =>
    dueAt === null ? [] : [{ key: slot, dueAt }],
  );
}
