/**
 * Sends deliveries to webhooks: a bounded number at once, few to each receiver, one at a time to a receiver that fails. What was sent
 * and how that went is recorded afterwards, so that a crash in between sends it again: at least once, under the same id.
 */
import { processContext } from '../core/context.ts';
import type { Executor } from '../core/executor.ts';
import type { Projector } from '../core/projector.ts';
import type { WebhookSecrets } from '../core/webhook-secrets.ts';
import { signMessage, type WebhookMessage } from '../core/webhook-signing.ts';
import type { WebhookId } from '../domain/ids.ts';
import { deactivateWebhook, webhook, webhookWithin, type Webhook } from '../domain/webhook.ts';
import {
  deliverableMs,
  giveUp,
  receiverHealth,
  recordAttempt,
  webhookDeliveries,
  type AttemptResult,
  type DeliveryId,
} from '../domain/webhook-deliveries.ts';
import type { Clock } from '../ports/clock.ts';
import { EgressFailed, type Egress } from '../ports/egress.ts';
import type { EventStore, Position, RecordedEvent } from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import type { ReadModels } from '../ports/read-models.ts';
import type { Announcer } from '../projections/announcements/announcer.ts';
import { testType } from '../projections/webhook-deliveries.ts';
import { waitingDeliveries, type DeliveryDocument } from '../projections/webhook-delivery-documents.ts';
import { sendingWebhooks, type WebhookDocument } from '../projections/webhook-documents.ts';

export interface WebhookSender {
  /**
   * Begins to send what is due, as far as there is room. What comes to its end is an event, which asks again.
   * @param asOf where the log stood when it was asked for; null: nobody knows
   */
  dispatch(asOf: Position | null): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
  /** Gives up what is under way, unrecorded: it is sent again after the next start. */
  stop(): Promise<void>;
}

export interface WebhookSenderDeps {
  readonly store: Pick<EventStore, 'readStream' | 'compare'>;
  readonly executor: Executor;
  readonly models: ReadModels;
  readonly projector: Pick<Projector, 'waitFor'>;
  readonly announcer: Announcer;
  readonly webhookSecrets: Pick<WebhookSecrets, 'valid'>;
  readonly egress: Pick<Egress, 'request'>;
  readonly clock: Clock;
  /** 0 to 1: spreads the next attempts. */
  readonly random: () => number;
  readonly log: Log;
}

/** Requests at once, in all. A receiver that hangs takes one for 15 s in ten minutes: thousands of them leave room for others. */
const mostAtOnce = 64;
const mostPerWebhook = 4;
const timeoutMs = 15_000;
const maxResponseBytes = 65_536;
const caughtUpWithinMs = 2_000;
/** How long a webhook waits whose attempt could not be recorded: it would only be sent again. */
const heldMs = 30_000;

export function createWebhookSender(deps: WebhookSenderDeps): WebhookSender {
  const { store, executor, models, projector, clock, log } = deps;
  const stopping = new AbortController();
  const underWay = new Map<WebhookId, Set<DeliveryId>>();
  const running = new Set<Promise<void>>();
  /** Webhooks with nothing due until then (wall milliseconds), unless something has changed. */
  const asleep = new Map<WebhookId, { readonly until: number; readonly changes: number }>();
  /** Until when (monotonic milliseconds) nothing is sent. */
  const held = new Map<WebhookId, number>();
  /** In which turn each was sent to last: the longest ago comes first. */
  const servedIn = new Map<WebhookId, number>();
  let turn = 0;
  /** Where the last attempt was recorded: before the read model shows it, it would be made again. */
  let reached: Position | null = null;

  function later(one: Position | null, other: Position | null): Position | null {
    if (one === null || other === null) return one ?? other;
    return store.compare(one, other) < 0 ? other : one;
  }

  function mayServe({ webhookId, changes }: WebhookDocument, now: number): boolean {
    if ((held.get(webhookId) ?? 0) > clock.monotonic()) return false;
    const sleeps = asleep.get(webhookId);
    return sleeps?.changes !== changes || sleeps.until <= now;
  }

  /** Whether the read model shows every attempt that was recorded until this moment; false: it lags. */
  async function showsAttempts(): Promise<boolean> {
    for (;;) {
      const upTo = reached;
      if (upTo && !(await projector.waitFor(['webhooks'], upTo, caughtUpWithinMs))) return false;
      if (reached === upTo) return true;
    }
  }

  async function serve({ webhookId, changes }: WebhookDocument): Promise<void> {
    const known = webhookWithin((await executor.load(webhook, webhookId)).state, null);
    if (!known?.active) return;
    const health = receiverHealth((await executor.load(webhookDeliveries, webhookId)).state, known);
    const now = clock.now();
    if (await gaveUp(known, health, now)) return;
    if (health.restUntil !== null && Date.parse(health.restUntil) > now) return;
    const busy = underWay.get(webhookId)?.size ?? 0;
    const room = Math.min((health.failures > 0 ? 1 : mostPerWebhook) - busy, mostAtOnce - running.size);
    if (room <= 0) return;
    const since = new Date(now - deliverableMs).toISOString();
    if (!(await showsAttempts())) return;
    // What is under way now may end while the read model is asked, which then still shows it as waiting.
    const sending = new Set(underWay.get(webhookId));
    const waiting = await waitingDeliveries(models, webhookId, since, busy + room);
    const idle = waiting.filter(
      ({ deliveryId }) => !sending.has(deliveryId) && !underWay.get(webhookId)?.has(deliveryId),
    );
    const due = idle.filter(({ dueAt }) => dueMs(dueAt) <= now).slice(0, room);
    if (due.length === 0 && busy === 0) {
      asleep.set(webhookId, { changes, until: idle[0] ? dueMs(idle[0].dueAt) : Infinity });
      return;
    }
    servedIn.set(webhookId, turn);
    for (const delivery of due) launch(known, delivery);
  }

  function launch(known: Webhook, delivery: DeliveryDocument): void {
    const { webhookId } = known;
    const { deliveryId } = delivery;
    const busy = underWay.get(webhookId) ?? new Set();
    underWay.set(webhookId, busy.add(deliveryId));
    const run: Promise<void> = attempt(known, delivery)
      .catch((error: unknown) => {
        held.set(webhookId, clock.monotonic() + heldMs);
        log.warn({ webhookId, deliveryId, err: error }, 'an attempt could not be recorded; it is made again');
      })
      .finally(() => {
        running.delete(run);
        busy.delete(deliveryId);
        if (busy.size === 0) underWay.delete(webhookId);
        asleep.delete(webhookId);
      });
    running.add(run);
  }

  async function attempt(known: Webhook, delivery: DeliveryDocument): Promise<void> {
    const { webhookId, tenantId, activation } = known;
    const { deliveryId, attempted, source } = delivery;
    const began = clock.monotonic();
    const [recorded] = await store.readStream(source.stream, { from: source.revision, limit: 1 });
    const event = recorded?.revision === source.revision ? recorded : null;
    const result = await send(known, delivery, event);
    if (result === null) return;
    const durationMs = Math.round(clock.monotonic() - began);
    const now = clock.now();
    const made = { deliveryId, attempt: delivery.attempt + 1, activation, result, durationMs, now };
    const { state, position } = await executor.execute({
      ...{ aggregate: webhookDeliveries, id: webhookId, tenant: tenantId },
      context: processContext({
        ...{ process: 'webhooks', key: webhookId, purpose: `attempt ${deliveryId} ${attempted + 1}` },
        correlationId: event?.metadata.correlationId ?? deliveryId,
      }),
      decide: (health) => recordAttempt(health, { ...made, jitter: deps.random() }),
    });
    reached = later(reached, position);
    await gaveUp(known, receiverHealth(state, known), now);
  }

  /** @returns null: it was given up because everything stops */
  async function send(
    known: Webhook,
    { deliveryId, type }: DeliveryDocument,
    event: RecordedEvent | null,
  ): Promise<AttemptResult | null> {
    try {
      const message = event && (await messageOf(deliveryId, type, known, event));
      if (!message) return { status: null, error: 'What it tells of can no longer be read' };
      const [newest, ...others] = await deps.webhookSecrets.valid(known);
      if (newest === undefined) return { status: null, error: 'The webhook has no secret: rotate it' };
      const { body, headers } = signMessage(message, [newest, ...others], clock.now());
      const { status, retryAfterMs } = await deps.egress.request({
        ...{ method: 'POST', url: known.url, headers, body, timeoutMs, maxResponseBytes },
        signal: stopping.signal,
      });
      return retryAfterMs === undefined ? { status } : { status, retryAfterMs };
    } catch (error) {
      if (stopping.signal.aborted) return null;
      if (error instanceof EgressFailed) return { status: null, error: error.message };
      log.warn({ webhookId: known.webhookId, deliveryId, err: error }, 'a delivery could not be made up');
      return { status: null, error: 'The platform could not tell of it just now' };
    }
  }

  async function messageOf(
    id: DeliveryId,
    type: string,
    { webhookId }: Webhook,
    event: RecordedEvent,
  ): Promise<WebhookMessage | null> {
    if (type === testType) {
      const data = { webhookId, message: 'This is a test' };
      return { id, type, timestamp: event.metadata.at, data };
    }
    const found = (await deps.announcer.announce(event)).find((announcement) => announcement.id === id);
    return found ? { id, type, timestamp: found.timestamp, data: found.data } : null;
  }

  /** @returns whether the receiver is sent nothing more */
  async function gaveUp(known: Webhook, health: Parameters<typeof giveUp>[0], now: number): Promise<boolean> {
    const why = giveUp(health, now);
    if (why === null) return false;
    const { webhookId, tenantId, activation } = known;
    const { events } = await executor.execute({
      ...{ aggregate: webhook, id: webhookId, tenant: tenantId },
      context: processContext({
        ...{
          process: 'webhooks',
          key: webhookId,
          purpose: `give up ${activation}`,
          correlationId: webhookId,
        },
      }),
      decide: (state) => deactivateWebhook(state, known, why),
    });
    if (events.length > 0) log.warn({ webhookId, ...why }, 'a webhook was switched off');
    return true;
  }

  return {
    async dispatch(asOf) {
      const from = later(asOf, reached);
      // Behind: it is asked for again within a second.
      if (from && !(await projector.waitFor(['webhooks'], from, caughtUpWithinMs))) return;
      const now = clock.now();
      const all = await Array.fromAsync(sendingWebhooks(models, now));
      const open = all.filter((one) => mayServe(one, now));
      const turnOf = ({ webhookId }: WebhookDocument): number => servedIn.get(webhookId) ?? 0;
      turn += 1;
      for (const one of open.toSorted((a, b) => turnOf(a) - turnOf(b))) {
        if (stopping.signal.aborted || running.size >= mostAtOnce) return;
        await serve(one);
      }
    },
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
    async stop() {
      stopping.abort();
      while (running.size > 0) await Promise.all(running);
    },
  };
}

function dueMs(dueAt: string | null): number {
  return dueAt === null ? Infinity : Date.parse(dueAt);
}
