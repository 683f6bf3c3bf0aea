/** Webhooks as the IDP's document writes them ("Webhooks"), and what it leaves open. */
import { z } from 'zod';
import { WebhookId } from '../../domain/ids.ts';
import { DeactivationCause, WebhookSecret, type Webhook } from '../../domain/webhook.ts';
import { AttemptOutcome, deliverableMs } from '../../domain/webhook-deliveries.ts';
import type { DeliveryDocument } from '../../projections/webhook-delivery-documents.ts';
import type { WebhookDocument } from '../../projections/webhook-documents.ts';
import { webhookTypes } from '../../projections/webhooks.ts';
import { pageMembers, pagingQuery } from './paging.ts';

// Requests

/** The document names them; nothing announces them before there is a catalog. */
const toCome = ['catalog.entity.created', 'catalog.entity.updated'];
export const WebhookType = z.enum([...webhookTypes, ...toCome]);

const text = (most: number) => z.string().trim().min(1).max(most);
const fields = {
  url: z
    .string()
    .min(1)
    .max(2_048)
    .meta({ description: 'https:, of the public network; put no password into it' }),
  events: z
    .array(WebhookType)
    .min(1)
    .max(50)
    .transform((types) => [...new Set(types)]),
  active: z.boolean(),
};
const secret = WebhookSecret.optional().meta({
  description: 'What deliveries are signed with; default: one is made, and begins with whsec_',
});

export const CreateWebhookBody = z
  .strictObject({
    ...fields,
    active: fields.active.default(true),
    name: text(100).optional(),
    description: text(500).optional(),
    secret,
  })
  .meta({
    example: {
      url: 'https://your-server.com/webhooks/platform',
      events: ['plugin.installed', 'plugin.updated', 'deployment.completed', 'deployment.rolled_back'],
      secret: 'webhook_secret_key',
      active: true,
    },
  });

export const ChangeWebhookBody = z
  .strictObject({
    url: fields.url.optional(),
    events: fields.events.optional(),
    active: fields.active.optional(),
    name: text(100).nullable().optional(),
    description: text(500).nullable().optional(),
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), 'must name what is to change')
  .meta({ example: { active: true } });

export const RotateSecretBody = z.strictObject({ secret }).default({}).meta({ example: {} });

export const ReplayBody = z
  .strictObject({
    since: z.iso
      .datetime()
      .optional()
      .meta({ description: 'Of what happened from then on; default: all that is kept' }),
  })
  .default({})
  .meta({ example: { since: '2025-11-23T00:00:00Z' } });

/** Any text: what is no id does not exist. */
export const WebhookParams = z.strictObject({ webhookId: z.string() });
export const DeliveryParams = z.strictObject({ webhookId: z.string(), deliveryId: z.string() });
/** As they are minted: the rest need not be looked for. */
export const MintedWebhookId = WebhookId.refine((id) => /^wh_[0-9a-f]{20}$/.test(id));

export const ListWebhooksQuery = z.strictObject({
  active: z
    .enum(['true', 'false'])
    .transform((word) => word === 'true')
    .optional()
    .meta({ example: 'true' }),
  ...pagingQuery,
});

export const ListDeliveriesQuery = z.strictObject({
  status: z.enum(['pending', 'delivered', 'failed']).optional().meta({ example: 'failed' }),
  ...pagingQuery,
});

// Answers

const instant = z.iso.datetime().meta({ example: '2025-11-23T12:00:00.000Z' });

export const WebhookAnswer = z.object({
  id: z.string(),
  tenantId: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  active: z.boolean(),
  name: z.string().nullable(),
  description: z.string().nullable(),
  createdBy: z.string(),
  deactivation: z
    .object({ cause: DeactivationCause, reason: z.string() })
    .nullable()
    .meta({ description: 'Why nothing is sent; null while it is active' }),
  otherSecretsUntil: instant
    .nullable()
    .meta({ description: 'Until when secrets from before the last rotation hold' }),
});

export const WebhookWithSecretAnswer = WebhookAnswer.extend({
  secret: z.string().meta({ description: 'It is not shown again' }),
});

export const WebhookDetailsAnswer = WebhookAnswer.extend({
  createdAt: instant,
  updatedAt: instant,
  deactivatedAt: instant.nullable(),
  receiver: z.object({
    failures: z.int().meta({ description: 'In a row' }),
    failingSince: instant.nullable(),
    restUntil: instant
      .nullable()
      .meta({ description: 'Until when it is sent nothing, so that it can recover' }),
    lastDeliveredAt: instant.nullable(),
  }),
  deliveries: z.object({
    pending: z.int(),
    dropped: z.int().meta({ description: 'Given up because too many waited' }),
  }),
});
export const WebhookListAnswer = z.object({ webhooks: z.array(WebhookDetailsAnswer), ...pageMembers });

export const DeliveryAnswer = z.object({
  id: z.string().meta({ description: "The payload's id, and webhook-id", example: 'evt_123' }),
  webhookId: z.string(),
  type: z.string(),
  status: z
    .enum(['pending', 'delivered', 'failed', 'expired'])
    .meta({ description: 'expired: it waited too long to be sent by itself' }),
  createdAt: instant,
  nextAttemptAt: instant.nullable(),
  attemptCount: z.int(),
  attempts: z
    .array(
      z.object({
        at: instant,
        outcome: AttemptOutcome,
        responseStatus: z.int().nullable().meta({ description: 'Null: nothing was answered' }),
        error: z.string().nullable(),
        durationMs: z.int(),
      }),
    )
    .meta({ description: 'The last ones, the oldest first' }),
});
export const DeliveryListAnswer = z.object({ deliveries: z.array(DeliveryAnswer), ...pageMembers });

export const TestedAnswer = z.object({
  deliveryId: z.string(),
  status: z.literal('pending'),
  message: z.string(),
});
export const ReplayedAnswer = z.object({
  replayed: z.int().meta({ description: 'How many deliveries are sent once more' }),
  more: z.boolean().meta({ description: 'Whether there are others: ask again' }),
});
export const DoneAnswer = z.object({ success: z.literal(true), message: z.string() });

export function webhookAnswer(known: Webhook): z.output<typeof WebhookAnswer> {
  const { webhookId: id, tenantId, url, types, active, name, description, createdBy } = known;
  const { deactivated, othersUntil: otherSecretsUntil } = known;
  const deactivation = deactivated && { cause: deactivated.cause, reason: deactivated.reason };
  const events = [...types];
  return { id, tenantId, url, events, active, name, description, createdBy, deactivation, otherSecretsUntil };
}

export function webhookDetailsAnswer(known: WebhookDocument): z.output<typeof WebhookDetailsAnswer> {
  const { createdAt, updatedAt, deactivatedAt, health, lastDeliveredAt, waiting: pending, dropped } = known;
  const { failures, failingSince, restUntil } = health;
  return {
    ...webhookAnswer(known),
    ...{ createdAt, updatedAt, deactivatedAt },
    receiver: { failures, failingSince, restUntil, lastDeliveredAt },
    deliveries: { pending, dropped },
  };
}

/** @param nowMs wall milliseconds */
export function deliveryAnswer(known: DeliveryDocument, nowMs: number): z.output<typeof DeliveryAnswer> {
  const { deliveryId: id, webhookId, type, state, queuedAt, openedAt, dueAt, attempted, attempts } = known;
  const expired = state === 'pending' && Date.parse(openedAt) < nowMs - deliverableMs;
  return {
    ...{ id, webhookId, type, createdAt: queuedAt, attemptCount: attempted },
    status: expired ? 'expired' : state,
    nextAttemptAt: expired ? null : dueAt,
    attempts: attempts.map(({ status: responseStatus, ...attempt }) => ({ ...attempt, responseStatus })),
  };
}
