/** Webhooks as people and the process that sends ask for them, each visible to its tenant and to the platform. */
import type { Collection } from '../core/projection.ts';
import type { WebhookId } from '../domain/ids.ts';
import type { Webhook } from '../domain/webhook.ts';
import type { ReceiverHealth } from '../domain/webhook-deliveries.ts';
import type { Filter, ReadModels, Scope } from '../ports/read-models.ts';

/** One webhook, by its id. Times are ISO 8601. */
export interface WebhookDocument extends Webhook {
  /** Of the webhook's own stream. */
  readonly revision: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly deactivatedAt: string | null;
  readonly health: ReceiverHealth;
  readonly lastDeliveredAt: string | null;
  /** How many deliveries are not at their end. */
  readonly waiting: number;
  /** How many were given up before their end because too many waited. */
  readonly dropped: number;
  /** How many there ever were. */
  readonly enqueued: number;
  /** Grows whenever something may be due earlier than it was. */
  readonly changes: number;
  /** It is active, and something waits. */
  readonly sends: boolean;
}

export const webhooks: Collection<WebhookDocument> = {
  name: 'webhooks',
  visibility: 'tenant',
  indexes: [{ fields: ['createdAt'] }, { fields: ['tenantId', 'createdAt'] }, { fields: ['sends'] }],
  text: [],
};

export interface WebhookQuery {
  readonly active?: boolean | undefined;
  /** 1..100. */
  readonly limit: number;
  readonly offset: number;
}

/** The newest first. `total`: how many match, on all pages. */
export async function listWebhooks(
  models: ReadModels,
  scope: Scope,
  { active, limit, offset }: WebhookQuery,
): Promise<{ readonly webhooks: readonly WebhookDocument[]; readonly total: number }> {
  const matching = {
    scope,
    ...(active === undefined ? {} : { filter: { equal: ['active', active] } as const }),
  };
  const [total, page] = await Promise.all([
    models.count(webhooks.name, matching),
    models.find<WebhookDocument>(webhooks.name, {
      ...{ ...matching, limit, offset },
      sort: [{ path: 'createdAt', order: 'desc' }],
    }),
  ]);
  return { webhooks: page.documents.map(({ data }) => data), total };
}

/** Null when there is none within the scope. */
export async function getWebhook(
  models: ReadModels,
  scope: Scope,
  webhookId: WebhookId,
): Promise<WebhookDocument | null> {
  return (await models.get<WebhookDocument>(webhooks.name, webhookId, scope))?.data ?? null;
}

/** Webhooks that are active, have something waiting, and whose receivers need not rest at wall time `nowMs`. */
export async function* sendingWebhooks(
  models: ReadModels,
  nowMs: number,
): AsyncGenerator<WebhookDocument, void> {
  const rested: Filter = {
    or: [
      { equal: ['health.restUntil', null] },
      { range: ['health.restUntil', { lte: new Date(nowMs).toISOString() }] },
    ],
  };
  let cursor: string | undefined;
  do {
    const page = await models.find<WebhookDocument>(webhooks.name, {
      scope: { kind: 'platform' },
      filter: { and: [{ equal: ['sends', true] }, rested] },
      limit: 200,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { data } of page.documents) yield data;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
