/** A webhook: its place among the tenant's, then its secret, then itself. */
import { CommandRefused, type CommandContext, type Executor } from '../core/executor.ts';
import { derivedId, step } from '../core/context.ts';
import { mintWebhookSecret, type WebhookSecrets } from '../core/webhook-secrets.ts';
import { WebhookId, type TenantId } from '../domain/ids.ts';
import { refuse } from '../domain/refusal.ts';
import { retentionOf } from '../domain/retention.ts';
import {
  createWebhook as decide,
  webhook,
  webhookWithin,
  type NewWebhook,
  type Webhook,
} from '../domain/webhook.ts';
import { webhookDeliveries } from '../domain/webhook-deliveries.ts';
import { takePlace, webhookPlaces } from '../domain/webhook-places.ts';
import type { Clock } from '../ports/clock.ts';
import type { Egress } from '../ports/egress.ts';
import type { EventStore, Position } from '../ports/event-store.ts';
import { refuseSuspended } from './refuse-suspended.ts';

export interface WebhookDeps {
  readonly executor: Executor;
  readonly store: Pick<EventStore, 'setRetention'>;
  readonly webhookSecrets: WebhookSecrets;
  readonly egress: Pick<Egress, 'objection'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * @param input.secret null: one is made
 * @returns secret: which is shown once
 * @throws {CommandRefused} Forbidden for a suspended tenant, Invalid for a URL that is never asked, Conflict when there are too many
 */
export async function createWebhook(
  deps: WebhookDeps,
  context: CommandContext,
  { secret: given, ...sent }: Omit<NewWebhook, 'webhookId'> & { readonly secret: string | null },
): Promise<{ readonly webhook: Webhook; readonly secret: string; readonly position: Position | null }> {
  const { executor, store, webhookSecrets, clock } = deps;
  const { tenantId } = sent;
  await refuseSuspended(executor, tenantId);
  refuseUrl(deps, sent.url);
  const webhookId = WebhookId.parse(
    `wh_${derivedId('webhook', context.commandId).replaceAll('-', '').slice(0, 20)}`,
  );
  await takeOnePlace(deps, context, tenantId, webhookId);
  const secret = given ?? mintWebhookSecret();
  // Before the webhook is there: what is there can be sent to.
  await webhookSecrets.add({ tenantId, webhookId }, secret, new Date(clock.now()));
  const deliveries = `${webhookDeliveries.name}-${webhookId}`;
  await store.setRetention(deliveries, retentionOf(deliveries));
  const { state, position } = await executor.execute({
    ...{ aggregate: webhook, id: webhookId, tenant: tenantId, context },
    decide: (now) => decide(now, { ...sent, webhookId }),
  });
  if (!state) throw new Error(`creating ${webhookId} created nothing`);
  return { webhook: state, secret, position };
}

/** @throws {CommandRefused} Invalid */
export function refuseUrl({ egress }: Pick<WebhookDeps, 'egress'>, url: string): void {
  const message = egress.objection(url);
  if (message !== null)
    throw new CommandRefused(refuse('Invalid', `url ${message}`, { field: 'url', message }));
}

async function takeOnePlace(
  { executor, clock }: WebhookDeps,
  context: CommandContext,
  tenantId: TenantId,
  webhookId: WebhookId,
): Promise<void> {
  const { state: places } = await executor.load(webhookPlaces, tenantId);
  // Read after the places: whoever creates one has its place before.
  const found = places.map(async (place) => {
    const { state } = await executor.load(webhook, place.webhookId);
    return webhookWithin(state, null) ? [] : [place.webhookId];
  });
  const gone = (await Promise.all(found)).flat();
  const at = new Date(clock.now()).toISOString();
  await executor.execute({
    ...{ aggregate: webhookPlaces, id: tenantId, tenant: tenantId, context: step(context, 'take a place') },
    decide: (state) => takePlace(state, { webhookId, at, gone }),
  });
}
