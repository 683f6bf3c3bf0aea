/** What the routes of webhooks and those of their deliveries share: who may call them, and whose webhooks exist for whom. */
import type { WebhookDeps } from '../../commands/create-webhook.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadModels } from '../../ports/read-models.ts';
import { getDelivery, type DeliveryDocument } from '../../projections/webhook-delivery-documents.ts';
import { getWebhook, type WebhookDocument } from '../../projections/webhook-documents.ts';
import type { Principal } from '../http/principal.ts';
import { idInPath, notFound, scopeOf, tenantOf } from '../plugin-manager/scope.ts';
import { MintedWebhookId, WebhookParams } from './webhook-schemas.ts';

export interface WebhookRoutesDeps extends WebhookDeps {
  readonly models: ReadModels;
  readonly clock: Clock;
}

interface InPath {
  readonly webhookId: string;
}

export const reading = {
  ...{ tag: 'Webhooks', policy: { permission: 'webhooks:read' }, reads: ['webhooks'] },
} as const;
export const writing = { tag: 'Webhooks', policy: { permission: 'webhooks:write' } } as const;
/** What is done to one webhook, and may be asked again. */
export const changingOne = { ...writing, idempotent: true, params: WebhookParams } as const;

/** Which webhook a path names, and whose exist for who asks. @throws {Problem} NotFound for what is no id */
export function named(principal: Principal, { webhookId: text }: InPath) {
  return { webhookId: idInPath(MintedWebhookId, text, 'webhook'), within: tenantOf(principal) };
}

/** @throws {Problem} NotFound */
export async function foundWebhook(
  models: ReadModels,
  principal: Principal,
  params: InPath,
): Promise<WebhookDocument> {
  const { webhookId } = named(principal, params);
  const known = await getWebhook(models, scopeOf(principal), webhookId);
  if (!known) throw notFound('webhook', webhookId);
  return known;
}

/** @throws {Problem} NotFound */
export async function foundDelivery(
  models: ReadModels,
  principal: Principal,
  params: InPath & { readonly deliveryId: string },
): Promise<DeliveryDocument> {
  const { webhookId } = named(principal, params);
  const known = await getDelivery(models, scopeOf(principal), webhookId, params.deliveryId);
  if (!known) throw notFound('delivery', params.deliveryId);
  return known;
}
