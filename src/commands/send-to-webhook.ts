/** What a person sends by hand: something once more, or a test. */
import { CommandRefused, type CommandContext } from '../core/executor.ts';
import { derivedId } from '../core/context.ts';
import type { WebhookId } from '../domain/ids.ts';
import { refuse } from '../domain/refusal.ts';
import type { Webhook, Within } from '../domain/webhook.ts';
import { DeliveryId, webhookDeliveries, type WebhookDeliveryEvent } from '../domain/webhook-deliveries.ts';
import type { Position } from '../ports/event-store.ts';
import { writable } from './change-webhook.ts';
import type { WebhookDeps } from './create-webhook.ts';

type Deps = Pick<WebhookDeps, 'executor'>;

/**
 * They are due at once, with all their attempts before them.
 * @param input.deliveryIds at most 1,000 deliveries of the webhook
 * @throws {CommandRefused} NotFound, also for another tenant's; Forbidden for a suspended tenant; Conflict while it is switched off
 */
export async function replayDeliveries(
  deps: Deps,
  context: CommandContext,
  input: {
    readonly webhookId: WebhookId;
    readonly within: Within;
    readonly deliveryIds: readonly DeliveryId[];
  },
): Promise<{ readonly position: Position | null }> {
  const { webhookId, within } = input;
  const deliveryIds = [...input.deliveryIds];
  const known = await active(deps, webhookId, within);
  if (deliveryIds.length === 0) return { position: null };
  return append(deps, context, known, {
    type: 'WebhookReplayRequested',
    data: { deliveryIds },
  });
}

/** @throws as `replayDeliveries` does */
export async function testWebhook(
  deps: Deps,
  context: CommandContext,
  { webhookId, within }: { readonly webhookId: WebhookId; readonly within: Within },
): Promise<{ readonly deliveryId: DeliveryId; readonly position: Position | null }> {
  const deliveryId = DeliveryId.parse(`evt_${derivedId('webhook test', context.commandId)}`);
  const known = await active(deps, webhookId, within);
  const { position } = await append(deps, context, known, {
    type: 'WebhookTestRequested',
    data: { deliveryId },
  });
  return { deliveryId, position };
}

async function active(deps: Deps, webhookId: WebhookId, within: Within): Promise<Webhook> {
  const known = await writable(deps, webhookId, within);
  if (known.active) return known;
  const reason = known.deactivated?.reason ?? 'Switched off';
  throw new CommandRefused(
    refuse('Conflict', `Webhook ${webhookId} is not active (${reason}): set active to true first`),
  );
}

async function append(
  { executor }: Deps,
  context: CommandContext,
  { webhookId, tenantId }: Webhook,
  event: WebhookDeliveryEvent,
): Promise<{ readonly position: Position | null }> {
  const { position } = await executor.execute({
    ...{ aggregate: webhookDeliveries, id: webhookId, tenant: tenantId, context },
    decide: () => [event],
  });
  return { position };
}
