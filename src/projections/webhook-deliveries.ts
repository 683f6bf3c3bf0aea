/** What is to be sent to webhooks, and what came of it. A bounded number is kept of each: the oldest give way. */
import type { Collection, Documents, Projection } from '../core/projection.ts';
import { WebhookId } from '../domain/ids.ts';
import {
  DeliveryId,
  webhookDeliveries as aggregate,
  webhookDeliveryEvents,
  type WebhookAttempted,
} from '../domain/webhook-deliveries.ts';
import type { RecordedEvent } from '../ports/event-store.ts';
import type { CollectionSpec } from '../ports/read-models.ts';
import { on } from './event-data.ts';
import { webhooks, type WebhookDocument } from './webhook-documents.ts';
import { deliveries, deliveryKey, type DeliveryDocument } from './webhook-delivery-documents.ts';

/** Deliveries that are kept of each webhook, whether they wait or have ended. */
export const mostDeliveries = 10_000;
const mostAttemptsKept = 22;

/** The places that deliveries take in turns: by webhook and number. */
const places: Collection<{ readonly deliveryId: string }> = {
  name: 'webhook_delivery_places',
  visibility: 'tenant',
  indexes: [],
  text: [],
};

export const deliveryCollections: readonly CollectionSpec[] = [deliveries, places];

type Counted = Partial<Pick<WebhookDocument, 'waiting' | 'dropped' | 'enqueued' | 'changes'>>;

function placeOf(webhookId: WebhookId, number: number): string {
  return `${webhookId}.${number % mostDeliveries}`;
}

export async function enqueue(
  documents: Documents,
  webhookId: WebhookId,
  what: Pick<DeliveryDocument, 'type' | 'source'> & { readonly deliveryId: string; readonly at: string },
): Promise<void> {
  const webhook = await documents.get(webhooks, webhookId);
  if (!webhook) return;
  const { tenantId, enqueued } = webhook;
  const place = placeOf(webhookId, enqueued);
  const dropped = await giveWay(documents, webhookId, place);
  const { type, source, at } = what;
  const deliveryId = DeliveryId.parse(what.deliveryId);
  documents.put(places, place, tenantId, { deliveryId });
  documents.put(deliveries, deliveryKey(webhookId, deliveryId), tenantId, {
    ...{ deliveryId, webhookId, type, source, state: 'pending', queuedAt: at, openedAt: at, dueAt: at },
    ...{ attempt: 0, attempted: 0, attempts: [] },
  });
  count(documents, webhook, {
    enqueued: enqueued + 1,
    waiting: webhook.waiting + 1 - dropped,
    dropped: webhook.dropped + dropped,
    changes: webhook.changes + 1,
  });
}

/** @returns how many that still waited had to go: 1 or 0 */
async function giveWay(documents: Documents, webhookId: WebhookId, place: string): Promise<number> {
  const taken = await documents.get(places, place);
  if (!taken) return 0;
  const id = deliveryKey(webhookId, taken.deliveryId);
  const before = await documents.get(deliveries, id);
  documents.delete(deliveries, id);
  return before?.state === 'pending' ? 1 : 0;
}

function count(documents: Documents, webhook: WebhookDocument, counted: Counted): void {
  const now = { ...webhook, ...counted };
  documents.put(webhooks, webhook.webhookId, webhook.tenantId, {
    ...now,
    sends: now.active && now.waiting > 0,
  });
}

export async function forgetDeliveries(
  documents: Documents,
  webhookId: WebhookId,
  enqueued: number,
): Promise<void> {
  for (let number = 0; number < Math.min(enqueued, mostDeliveries); number += 1) {
    const place = placeOf(webhookId, number);
    const taken = await documents.get(places, place);
    if (!taken) continue;
    documents.delete(deliveries, deliveryKey(webhookId, taken.deliveryId));
    documents.delete(places, place);
  }
}

export const onDeliveries: Projection['on'] = {
  WebhookAttempted: on(webhookDeliveryEvents.WebhookAttempted, async (made, documents, event) => {
    const webhook = await documents.get(webhooks, webhookOf(event));
    if (!webhook) return;
    const health = aggregate.evolve(webhook.health, { type: 'WebhookAttempted', data: made });
    const lastDeliveredAt = made.outcome === 'delivered' ? made.at : webhook.lastDeliveredAt;
    const ended = await attempted(documents, webhook, made);
    count(documents, { ...webhook, health, lastDeliveredAt }, { waiting: webhook.waiting - ended });
  }),
  WebhookReplayRequested: on(
    webhookDeliveryEvents.WebhookReplayRequested,
    async (asked, documents, event) => {
      const webhook = await documents.get(webhooks, webhookOf(event));
      if (!webhook) return;
      const { at } = event.metadata;
      let opened = 0;
      for (const deliveryId of asked.deliveryIds) {
        const id = deliveryKey(webhook.webhookId, deliveryId);
        const before = await documents.get(deliveries, id);
        if (!before) continue;
        if (before.state !== 'pending') opened += 1;
        const again = { state: 'pending', openedAt: at, dueAt: at, attempt: 0 } as const;
        documents.put(deliveries, id, webhook.tenantId, { ...before, ...again });
      }
      count(documents, webhook, {
        waiting: webhook.waiting + opened,
        changes: webhook.changes + 1,
      });
    },
  ),
  WebhookTestRequested: on(webhookDeliveryEvents.WebhookTestRequested, (asked, documents, event) =>
    enqueue(documents, webhookOf(event), {
      ...{ deliveryId: asked.deliveryId, type: testType, at: event.metadata.at },
      source: { stream: event.stream, revision: event.revision },
    }),
  ),
};

function webhookOf({ stream }: RecordedEvent): WebhookId {
  return WebhookId.parse(stream.slice(`${aggregate.name}-`.length));
}

export const testType = 'webhook.test';

/** @returns how many came to their end: 1 or 0 */
async function attempted(
  documents: Documents,
  { webhookId, tenantId }: WebhookDocument,
  made: WebhookAttempted,
): Promise<number> {
  const id = deliveryKey(webhookId, made.deliveryId);
  const before = await documents.get(deliveries, id);
  if (!before) return 0;
  const { at, outcome, status, error, durationMs, nextAttemptAt } = made;
  const failed = nextAttemptAt === null ? 'failed' : 'pending';
  const state = outcome === 'delivered' ? 'delivered' : failed;
  documents.put(deliveries, id, tenantId, {
    ...before,
    state,
    dueAt: nextAttemptAt,
    attempt: before.attempt + 1,
    attempted: before.attempted + 1,
    attempts: [...before.attempts, { at, outcome, status, error, durationMs }].slice(-mostAttemptsKept),
  });
  return before.state === 'pending' && state !== 'pending' ? 1 : 0;
}
