/** What was sent to a webhook and how that went: when to try again, when to let the receiver rest, and when to give it up. */
import { z } from 'zod';
import type { Aggregate, EventSchemas, EventsOf } from './event.ts';
import type { DeactivationCause, Webhook } from './webhook.ts';

/** Of an announcement, `evt_…`: the same for every attempt and every replay. */
export const DeliveryId = z.string().startsWith('evt_').brand<'DeliveryId'>();
export type DeliveryId = z.output<typeof DeliveryId>;

export const AttemptOutcome = z.enum(['delivered', 'failed']);

export const webhookDeliveryEvents = {
  WebhookAttempted: {
    schema: 1,
    data: z.object({
      deliveryId: DeliveryId,
      /** From 1; a replay begins anew. */
      attempt: z.int().min(1),
      /** Of the webhook. */
      activation: z.int().min(1),
      outcome: AttemptOutcome,
      /** What was answered; null: nothing. */
      status: z.int().nullable(),
      /** Why it failed, a sentence. */
      error: z.string().max(500).nullable(),
      durationMs: z.int().min(0),
      /** When it ended, ISO 8601, as are the next two. */
      at: z.iso.datetime(),
      /** Null: not again. */
      nextAttemptAt: z.iso.datetime().nullable(),
      /** Until when the receiver is sent nothing at all. */
      restUntil: z.iso.datetime().nullable(),
    }),
  },
  /** Somebody wants them sent once more. */
  WebhookReplayRequested: {
    schema: 1,
    data: z.object({ deliveryIds: z.array(DeliveryId).min(1).max(1_000) }),
  },
  /** Somebody wants to see something arrive. */
  WebhookTestRequested: { schema: 1, data: z.object({ deliveryId: DeliveryId }) },
} as const satisfies EventSchemas;
export type WebhookDeliveryEvent = EventsOf<typeof webhookDeliveryEvents>;
export type WebhookAttempted = Extract<WebhookDeliveryEvent, { type: 'WebhookAttempted' }>['data'];

/** How the receiver is doing since its webhook was activated last. */
export interface ReceiverHealth {
  readonly activation: number;
  /** In a row, whatever was sent. */
  readonly failures: number;
  /** When the first of them was, ISO 8601; null: none. */
  readonly failingSince: string | null;
  readonly restUntil: string | null;
  /** It answered 410. */
  readonly gone: boolean;
}

/** Stream `webhookdeliveries-{webhookId}`, kept for {@link deliveriesKeptSeconds}. */
export const webhookDeliveries: Aggregate<ReceiverHealth, WebhookDeliveryEvent> = {
  name: 'webhookdeliveries',
  events: webhookDeliveryEvents,
  initial: healthy(0),
  snapshotVersion: 1,
  evolve(state, event) {
    if (event.type !== 'WebhookAttempted') return state;
    const { activation, outcome, status, at, restUntil } = event.data;
    // One that was under way when the webhook was activated anew.
    if (activation < state.activation) return state;
    if (outcome === 'delivered') return { ...healthy(activation), restUntil };
    const before = activation === state.activation ? state : healthy(activation);
    return {
      activation,
      failures: before.failures + 1,
      failingSince: before.failingSince ?? at,
      restUntil,
      gone: before.gone || status === gone,
    };
  },
};

function healthy(activation: number): ReceiverHealth {
  return { activation, failures: 0, failingSince: null, restUntil: null, gone: false };
}

/** As it counts for the webhook as it is now. */
export function receiverHealth(
  state: ReceiverHealth,
  { activation }: Pick<Webhook, 'activation'>,
): ReceiverHealth {
  return state.activation === activation ? state : healthy(activation);
}

const gone = 410;
const secondMs = 1_000;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export const deliveriesKeptSeconds = (30 * dayMs) / 1_000;
/** What has waited for so long is not sent any more: nobody expects it, and its attempts will soon be forgotten. */
export const deliverableMs = 7 * dayMs;
export const mostAttempts = 11;
const longestDelayMs = 8 * hourMs;
/** Failures in a row that a receiver may have before it is let rest. */
const patience = 5;
const longestRestMs = 10 * 60 * secondMs;
/** A receiver that asks for more is asked again all the same: nobody who has mended it waits longer. */
const longestAskedMs = hourMs;
/** After so many failures in a row, over so long, nobody is there any more. */
const failingForMs = 5 * dayMs;
const failingAttempts = 10;

/** A fifth more or less: those that failed together do not come back together. @param jitter 0 to 1 */
function jittered(ms: number, jitter: number): number {
  return Math.round(ms * (0.8 + 0.4 * jitter));
}

/**
 * 10 s after the first attempt, then three times longer each time, at most 8 h: eleven attempts within about 25 hours.
 * @param attempt that failed, from 1
 * @param jitter 0 to 1
 * @returns milliseconds until the next one; null: it was the last
 */
export function retryInMs(attempt: number, jitter: number): number | null {
  if (attempt >= mostAttempts) return null;
  return jittered(Math.min(longestDelayMs, 10 * secondMs * 3 ** (attempt - 1)), jitter);
}

/** How long a receiver is let be after its nth failure in a row: from 10 s on twice as long each time, at most 10 minutes. */
export function restMs(failures: number, jitter: number): number | null {
  if (failures < patience) return null;
  return jittered(Math.min(longestRestMs, 10 * secondMs * 2 ** Math.min(failures - patience, 20)), jitter);
}

/** How an attempt ended: with a status and perhaps how long the receiver asks to be left alone, or with why nothing came back. */
export type AttemptResult =
  | { readonly status: number; readonly retryAfterMs?: number; readonly error?: never }
  | { readonly status: null; readonly retryAfterMs?: never; readonly error: string };

export function recordAttempt(
  state: ReceiverHealth,
  made: {
    readonly deliveryId: DeliveryId;
    readonly attempt: number;
    readonly activation: number;
    readonly result: AttemptResult;
    readonly durationMs: number;
    /** Wall milliseconds. */
    readonly now: number;
    /** 0 to 1. */
    readonly jitter: number;
  },
): readonly WebhookDeliveryEvent[] {
  const { deliveryId, attempt, activation, result, durationMs, now, jitter } = made;
  const { status } = result;
  const delivered = status !== null && status >= 200 && status < 300;
  const isGone = status === gone;
  const health = receiverHealth(state, { activation });
  const asked = askedMs(result);
  const again = delivered || isGone ? null : retryInMs(attempt, jitter);
  // What holds since another attempt goes on holding, whatever comes of this one.
  const held = health.restUntil === null ? 0 : Date.parse(health.restUntil) - now;
  const rest = Math.max(held, asked, delivered ? 0 : (restMs(health.failures + 1, jitter) ?? 0));
  const later = (ms: number): string => new Date(now + ms).toISOString();
  const data: WebhookAttempted = {
    ...{ deliveryId, attempt, activation, status, durationMs },
    outcome: delivered ? 'delivered' : 'failed',
    error: delivered ? null : sentence(result),
    at: new Date(now).toISOString(),
    nextAttemptAt: again === null ? null : later(Math.max(again, asked)),
    restUntil: isGone || rest <= 0 ? null : later(rest),
  };
  return [{ type: 'WebhookAttempted', data }];
}

/** Milliseconds for which the receiver asks to be sent nothing: it is asked too often, or away (RFC 6585, 4; RFC 9110, 15.6.4). */
function askedMs({ status, retryAfterMs = 0 }: AttemptResult): number {
  return status === 429 || status === 503 ? Math.min(retryAfterMs, longestAskedMs) : 0;
}

function sentence({ status, error }: AttemptResult): string {
  if (status === null) return error.slice(0, 500);
  if (status >= 300 && status < 400) return `Answered ${status}; redirects are not followed`;
  return `Answered ${status}`;
}

/** Whether the receiver is to be sent nothing more, and why. @param now wall milliseconds */
export function giveUp(
  health: ReceiverHealth,
  now: number,
): { readonly cause: DeactivationCause; readonly reason: string } | null {
  const { failures, failingSince } = health;
  if (health.gone) return { cause: 'gone', reason: 'The receiver answered 410 Gone' };
  if (failingSince === null || failures < failingAttempts) return null;
  if (now - Date.parse(failingSince) < failingForMs) return null;
  return {
    cause: 'failing',
    reason: `Nothing has got through since ${failingSince}, in ${failures} attempts`,
  };
}
