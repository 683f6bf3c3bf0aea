/** Where a tenant wants to be told what happens. Its secrets are in the vault; its deliveries are a stream of their own. */
import { z } from 'zod';
import type { Aggregate, EventSchemas, EventsOf } from './event.ts';
import { TenantId, UserId, WebhookId } from './ids.ts';
import { refuse, type Decision, type Refusal } from './refusal.ts';

/** Why nothing is sent: somebody said so, the receiver said 410 Gone, or nothing has got through for days. */
export const DeactivationCause = z.enum(['user', 'gone', 'failing']);
export type DeactivationCause = z.output<typeof DeactivationCause>;

export const webhookEvents = {
  WebhookCreated: {
    schema: 1,
    data: z.object({
      webhookId: WebhookId,
      tenantId: TenantId,
      url: z.string(),
      /** Types of announcements in the spelling of webhooks: `deployment.completed`. */
      types: z.array(z.string()),
      active: z.boolean(),
      name: z.string().nullable(),
      description: z.string().nullable(),
      createdBy: UserId,
    }),
  },
  WebhookEdited: {
    schema: 1,
    data: z.object({
      url: z.string().optional(),
      types: z.array(z.string()).optional(),
      name: z.string().nullable().optional(),
      description: z.string().nullable().optional(),
    }),
  },
  WebhookActivated: { schema: 1, data: z.object({}) },
  WebhookDeactivated: { schema: 1, data: z.object({ cause: DeactivationCause, reason: z.string() }) },
  /** Secrets from before hold until then, ISO 8601. */
  WebhookSecretRotated: { schema: 1, data: z.object({ othersUntil: z.iso.datetime() }) },
  WebhookDeleted: { schema: 1, data: z.object({}) },
} as const satisfies EventSchemas;
export type WebhookEvent = EventsOf<typeof webhookEvents>;
export type NewWebhook = Extract<WebhookEvent, { type: 'WebhookCreated' }>['data'];

export interface Webhook extends NewWebhook {
  /** How often it was activated: what failed before is not held against it. */
  readonly activation: number;
  /** Null while it is active. */
  readonly deactivated: { readonly cause: DeactivationCause; readonly reason: string } | null;
  /** When the secrets before the newest end, ISO 8601; null: it has had one only. */
  readonly othersUntil: string | null;
  readonly deleted: boolean;
}

/** Null: there never was one. Of a deleted one it is kept whose it was. */
export type WebhookState = Webhook | null;

/** Stream `webhook-{webhookId}`. */
export const webhook: Aggregate<WebhookState, WebhookEvent> = {
  name: 'webhook',
  events: webhookEvents,
  initial: null,
  evolve(state, event) {
    if (event.type === 'WebhookCreated') {
      const deactivated = event.data.active ? null : bySomebody;
      return { ...event.data, activation: 1, deactivated, othersUntil: null, deleted: false };
    }
    if (!state) throw new Error(`${event.type} of a webhook that was never created`);
    switch (event.type) {
      case 'WebhookEdited': {
        const { url = state.url, types = state.types, name = state.name } = event.data;
        const { description = state.description } = event.data;
        return { ...state, url, types, name, description };
      }
      case 'WebhookActivated':
        return { ...state, active: true, deactivated: null, activation: state.activation + 1 };
      case 'WebhookDeactivated':
        return { ...state, active: false, deactivated: event.data };
      case 'WebhookSecretRotated':
        return { ...state, othersUntil: event.data.othersUntil };
      case 'WebhookDeleted':
        return { ...state, active: false, deleted: true };
    }
  },
};

const bySomebody = { cause: 'user', reason: 'Switched off' } as const;

/** Whose webhooks exist for who asks; null: all. */
export type Within = TenantId | null;

/** Null when it was deleted, or is another tenant's: neither exists for who asks. */
export function webhookWithin(state: WebhookState, within: Within): Webhook | null {
  return state && !state.deleted && (within === null || within === state.tenantId) ? state : null;
}

export function noSuchWebhook(id: string): Refusal {
  return refuse('NotFound', `There is no webhook ${id}`);
}

// What may be asked for

/** Printable ASCII, so that every receiver's language makes the same bytes of it. */
export const WebhookSecret = z
  .string()
  .regex(/^[\x21-\x7e]{16,256}$/, 'must have 16 to 256 characters of ASCII without blanks')
  .refine(
    (secret) => !secret.startsWith('whsec_') || /^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/.test(secret),
    'must be 24 to 64 bytes in base64 after whsec_',
  );

export interface WebhookChanges {
  readonly url?: string | undefined;
  readonly types?: readonly string[] | undefined;
  readonly name?: string | null | undefined;
  readonly description?: string | null | undefined;
  readonly active?: boolean | undefined;
}

// Decisions

export function createWebhook(state: WebhookState, sent: NewWebhook): Decision<WebhookEvent> {
  return state ? [] : [{ type: 'WebhookCreated', data: sent }];
}

/** What is so already changes nothing. */
export function changeWebhook(
  state: WebhookState,
  id: WebhookId,
  within: Within,
  changes: WebhookChanges,
): Decision<WebhookEvent> {
  const known = webhookWithin(state, within);
  if (!known) return noSuchWebhook(id);
  const { active, ...fields } = changes;
  const current: Readonly<Record<string, unknown>> = { ...known };
  const edited = Object.entries(fields).filter(
    ([name, value]) => value !== undefined && JSON.stringify(value) !== JSON.stringify(current[name]),
  );
  const events: WebhookEvent[] = [];
  if (edited.length > 0)
    events.push({
      type: 'WebhookEdited',
      data: webhookEvents.WebhookEdited.data.parse(Object.fromEntries(edited)),
    });
  if (active === true && !known.active) events.push({ type: 'WebhookActivated', data: {} });
  if (active === false && known.active) events.push({ type: 'WebhookDeactivated', data: bySomebody });
  return events;
}

/** By the platform itself, of what it was as it was found: a webhook that was activated since is left alone. */
export function deactivateWebhook(
  state: WebhookState,
  asOf: { readonly activation: number },
  why: { readonly cause: DeactivationCause; readonly reason: string },
): Decision<WebhookEvent> {
  const known = webhookWithin(state, null);
  if (!known?.active || known.activation !== asOf.activation) return [];
  return [{ type: 'WebhookDeactivated', data: why }];
}

export function rotateSecret(
  state: WebhookState,
  id: WebhookId,
  within: Within,
  othersUntil: string,
): Decision<WebhookEvent> {
  if (!webhookWithin(state, within)) return noSuchWebhook(id);
  return [{ type: 'WebhookSecretRotated', data: { othersUntil } }];
}

export function deleteWebhook(state: WebhookState, id: WebhookId, within: Within): Decision<WebhookEvent> {
  if (!webhookWithin(state, within)) return noSuchWebhook(id);
  return [{ type: 'WebhookDeleted', data: {} }];
}
