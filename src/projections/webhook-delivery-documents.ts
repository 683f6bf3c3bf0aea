/** Deliveries as people and the process that sends ask for them. */
import type { Collection } from '../core/projection.ts';
import type { WebhookId } from '../domain/ids.ts';
import {
  deliveriesKeptSeconds,
  type DeliveryId,
  type WebhookAttempted,
} from '../domain/webhook-deliveries.ts';
import type { Filter, ReadModels, Scope } from '../ports/read-models.ts';

/** One delivery, by webhook and announcement. Times are ISO 8601. */
export interface DeliveryDocument {
  readonly deliveryId: DeliveryId;
  readonly webhookId: WebhookId;
  /** `deployment.completed` */
  readonly type: string;
  /** Where in the log stands what it tells of; of a test, where it was asked for. */
  readonly source: { readonly stream: string; readonly revision: number };
  readonly state: 'pending' | 'delivered' | 'failed';
  /** When it happened. */
  readonly queuedAt: string;
  /** The same, or when a replay was asked for. */
  readonly openedAt: string;
  /** Of the next attempt; null: there is none. */
  readonly dueAt: string | null;
  /** How many were made since it was opened. */
  readonly attempt: number;
  /** How many were ever made. */
  readonly attempted: number;
  /** The last ones, the oldest first. */
  readonly attempts: readonly Attempt[];
}

export type Attempt = Pick<WebhookAttempted, 'at' | 'outcome' | 'status' | 'error' | 'durationMs'>;

export const deliveries: Collection<DeliveryDocument> = {
  name: 'webhook_deliveries',
  visibility: 'tenant',
  indexes: [
    { fields: ['webhookId', 'queuedAt'] },
    { fields: ['webhookId', 'state', 'dueAt'] },
    { fields: ['webhookId', 'state', 'queuedAt'] },
  ],
  text: [],
};

export function deliveryKey(webhookId: WebhookId, deliveryId: string): string {
  return `${webhookId}.${deliveryId}`;
}

/** Since when deliveries are shown. @param nowMs wall milliseconds */
function keptSince(nowMs: number): Filter {
  return { range: ['queuedAt', { gte: new Date(nowMs - deliveriesKeptSeconds * 1_000).toISOString() }] };
}

export interface DeliveryQuery {
  readonly webhookId: WebhookId;
  readonly state?: DeliveryDocument['state'] | undefined;
  /** 1..100. */
  readonly limit: number;
  readonly offset: number;
}

/** The newest first. `total`: how many match, on all pages. @param nowMs wall milliseconds */
export async function listDeliveries(
  models: ReadModels,
  scope: Scope,
  { webhookId, state, limit, offset }: DeliveryQuery,
  nowMs: number,
): Promise<{ readonly deliveries: readonly DeliveryDocument[]; readonly total: number }> {
  const and: Filter[] = [{ equal: ['webhookId', webhookId] }, keptSince(nowMs)];
  if (state !== undefined) and.push({ equal: ['state', state] });
  const matching = { scope, filter: { and } };
  const [total, page] = await Promise.all([
    models.count(deliveries.name, matching),
    models.find<DeliveryDocument>(deliveries.name, {
      ...{ ...matching, limit, offset },
      sort: [{ path: 'queuedAt', order: 'desc' }],
    }),
  ]);
  return { deliveries: page.documents.map(({ data }) => data), total };
}

/** Null when there is none within the scope. */
export async function getDelivery(
  models: ReadModels,
  scope: Scope,
  webhookId: WebhookId,
  deliveryId: string,
): Promise<DeliveryDocument | null> {
  return (
    (await models.get<DeliveryDocument>(deliveries.name, deliveryKey(webhookId, deliveryId), scope))?.data ??
    null
  );
}

/** Those that ended without getting through, of what happened since then (ISO 8601), the oldest first. @param limit 1..1,000 */
export async function failedDeliveries(
  models: ReadModels,
  scope: Scope,
  webhookId: WebhookId,
  { since, limit }: { readonly since: string; readonly limit: number },
): Promise<readonly DeliveryId[]> {
  const { documents } = await models.find<DeliveryDocument>(deliveries.name, {
    scope,
    filter: {
      and: [
        { equal: ['webhookId', webhookId] },
        { equal: ['state', 'failed'] },
        { range: ['queuedAt', { gte: since }] },
      ],
    },
    sort: [{ path: 'queuedAt', order: 'asc' }],
    limit,
  });
  return documents.map(({ data }) => data.deliveryId);
}

/** What waits, the longest due first. @param openedSince ISO 8601: what was opened before is not sent any more */
export async function waitingDeliveries(
  models: ReadModels,
  webhookId: WebhookId,
  openedSince: string,
  limit: number,
): Promise<readonly DeliveryDocument[]> {
  const { documents } = await models.find<DeliveryDocument>(deliveries.name, {
    scope: { kind: 'platform' },
    filter: {
      and: [
        { equal: ['webhookId', webhookId] },
        { equal: ['state', 'pending'] },
        { range: ['openedAt', { gte: openedSince }] },
      ],
    },
    sort: [{ path: 'dueAt', order: 'asc' }],
    limit,
  });
  return documents.map(({ data }) => data);
}
