/** Webhooks, and which of them are told what: who listens when something is announced. */
import type { Collection, Documents, Projection } from '../core/projection.ts';
import { platformTenant, type TenantId, type WebhookId } from '../domain/ids.ts';
import { webhook, webhookEvents, type Webhook, type WebhookEvent } from '../domain/webhook.ts';
import { receiverHealth, webhookDeliveries } from '../domain/webhook-deliveries.ts';
import type { RecordedEvent } from '../ports/event-store.ts';
import type { Scope } from '../ports/read-models.ts';
import { announcedEvents, type Announcer } from './announcements/announcer.ts';
import { announcementTypes, isVisible, webhookType, type Announcement } from './announcements/types.ts';
import { deliveryCollections, enqueue, forgetDeliveries, onDeliveries } from './webhook-deliveries.ts';
import { webhooks } from './webhook-documents.ts';

/** By tenant: its webhooks that are active. */
const listeners: Collection<{
  readonly webhooks: readonly { readonly webhookId: WebhookId; readonly types: readonly string[] }[];
}> = { name: 'webhook_listeners', visibility: 'tenant', indexes: [], text: [] };

/** One document: the tenants that have listeners. */
const listening: Collection<{ readonly tenants: readonly TenantId[] }> = {
  name: 'webhook_listening',
  visibility: 'tenant',
  indexes: [],
  text: [],
};
const listeningId = 'all';

/** What webhooks are told of: reports of instances are too many for them. */
export const webhookTypes: readonly string[] = Object.entries(announcementTypes)
  .filter(([, channel]) => channel !== 'health')
  .map(([type]) => type.replaceAll(':', '.'));
const announced = [...announcedEvents].filter(([, channel]) => channel !== 'health').map(([type]) => type);

/**
 * A delivery is queued in the order of the log: for the webhooks that were active when it happened, exactly once.
 * @param announcer its own; it says the same of an event whenever it is asked
 */
export function webhooksProjection(announcer: Announcer): Projection {
  const route = async (event: RecordedEvent, documents: Documents): Promise<void> => {
    const tenants = (await documents.get(listening, listeningId))?.tenants ?? [];
    if (tenants.length === 0) return;
    for (const announcement of await announcer.announce(event))
      await tell(announcement, tenants, event, documents);
  };
  return {
    name: 'webhooks',
    version: 2,
    collections: [webhooks, listeners, listening, ...deliveryCollections],
    on: {
      ...Object.fromEntries(announced.map((type) => [type, route])),
      ...Object.fromEntries(Object.keys(webhookEvents).map((type) => [type, follow])),
      ...onDeliveries,
    },
  };
}

async function tell(
  announcement: Announcement,
  tenants: readonly TenantId[],
  { stream, revision }: RecordedEvent,
  documents: Documents,
): Promise<void> {
  const type = webhookType(announcement.type);
  for (const tenant of tenants.filter((one) => isVisible(announcement, scopeOf(one)))) {
    const { webhooks: all = [] } = (await documents.get(listeners, tenant)) ?? {};
    for (const { webhookId, types } of all) {
      if (!types.includes(type)) continue;
      const { id, timestamp: at } = announcement;
      await enqueue(documents, webhookId, {
        deliveryId: id,
        type,
        at,
        source: { stream, revision },
      });
    }
  }
}

/** A webhook of the platform is told what every tenant is told (decisions 38). */
function scopeOf(tenant: TenantId): Scope {
  return tenant === platformTenant ? { kind: 'platform' } : { kind: 'tenant', tenant };
}

async function follow(event: RecordedEvent, documents: Documents): Promise<void> {
  const id = event.stream.slice(`${webhook.name}-`.length);
  const before = await documents.get(webhooks, id);
  // The projector decodes by the schemas of webhookEvents before it hands an event over: the type says which data it has.
  const happened = { type: event.type, data: event.data } as { readonly type: string } as WebhookEvent;
  const after = webhook.evolve(before, happened);
  if (!after) return;
  await listen(documents, after);
  if (after.deleted) {
    documents.delete(webhooks, id);
    await forgetDeliveries(documents, after.webhookId, before?.enqueued ?? 0);
    return;
  }
  const { at } = event.metadata;
  const known = before ?? {
    ...{ createdAt: at, deactivatedAt: null, health: webhookDeliveries.initial, lastDeliveredAt: null },
    ...{ waiting: 0, dropped: 0, enqueued: 0, changes: 0 },
  };
  documents.put(webhooks, id, after.tenantId, {
    ...known,
    ...after,
    revision: event.revision,
    updatedAt: at,
    deactivatedAt: after.active ? null : (known.deactivatedAt ?? at),
    health: receiverHealth(known.health, after),
    changes: known.changes + 1,
    sends: after.active && known.waiting > 0,
  });
}

async function listen(documents: Documents, { tenantId, webhookId, types, active }: Webhook): Promise<void> {
  const { webhooks: before = [] } = (await documents.get(listeners, tenantId)) ?? {};
  const others = before.filter((one) => one.webhookId !== webhookId);
  const all = active ? [...others, { webhookId, types }] : others;
  documents.put(listeners, tenantId, tenantId, { webhooks: all });
  const tenants = (await documents.get(listening, listeningId))?.tenants ?? [];
  if (tenants.includes(tenantId) === all.length > 0) return;
  const now = all.length > 0 ? [...tenants, tenantId] : tenants.filter((one) => one !== tenantId);
  documents.put(listening, listeningId, null, { tenants: now });
}
