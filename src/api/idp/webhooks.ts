/** Webhooks: where a tenant, or the platform, wants to be told what happens. */
import { changeWebhook } from '../../commands/change-webhook.ts';
import { createWebhook, type WebhookDeps } from '../../commands/create-webhook.ts';
import { deleteWebhook } from '../../commands/delete-webhook.ts';
import { rotateWebhookSecret } from '../../commands/rotate-webhook-secret.ts';
import { replayDeliveries, testWebhook } from '../../commands/send-to-webhook.ts';
import { DeliveryId } from '../../domain/webhook-deliveries.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadModels } from '../../ports/read-models.ts';
import {
  failedDeliveries,
  getDelivery,
  listDeliveries,
} from '../../projections/webhook-delivery-documents.ts';
import { getWebhook, listWebhooks } from '../../projections/webhook-documents.ts';
import type { Principal } from '../http/principal.ts';
import { route, type Route } from '../http/route.ts';
import { callerOf, idInPath, notFound, scopeOf, tenantOf } from '../plugin-manager/scope.ts';
import { pageOf, rangeOf } from './paging.ts';
import * as schemas from './webhook-schemas.ts';

export interface WebhookRoutesDeps extends WebhookDeps {
  readonly models: ReadModels;
  readonly clock: Clock;
}

const reading = { tag: 'Webhooks', policy: { permission: 'webhooks:read' }, reads: ['webhooks'] } as const;
const writing = { tag: 'Webhooks', policy: { permission: 'webhooks:write' } } as const;
const mostReplayed = 1_000;

export function webhookRoutes(deps: WebhookRoutesDeps): readonly Route[] {
  return [...looking(deps), ...changing(deps), ...sending(deps)];
}

/** Which webhook a path names, and whose exist for who asks. */
function named(principal: Principal, { webhookId: text }: { readonly webhookId: string }) {
  return { webhookId: idInPath(schemas.MintedWebhookId, text, 'webhook'), within: tenantOf(principal) };
}

function looking({ models, clock }: WebhookRoutesDeps): readonly Route[] {
  /** @throws {Problem} NotFound */
  async function found(principal: Principal, params: { readonly webhookId: string }) {
    const { webhookId } = named(principal, params);
    const known = await getWebhook(models, scopeOf(principal), webhookId);
    if (!known) throw notFound('webhook', webhookId);
    return known;
  }
  return [
    route({
      ...reading,
      method: 'GET',
      path: '/webhooks',
      summary: 'List webhooks',
      query: schemas.ListWebhooksQuery,
      responses: { 200: schemas.WebhookListAnswer },
      handler: async ({ principal, query }) => {
        const asked = { active: query.active, ...rangeOf(query) };
        const { webhooks, total } = await listWebhooks(models, scopeOf(principal), asked);
        const body = { webhooks: webhooks.map(schemas.webhookDetailsAnswer), ...pageOf(query, total) };
        return { status: 200, body };
      },
    }),
    route({
      ...reading,
      method: 'GET',
      path: '/webhooks/:webhookId',
      summary: 'Show a webhook, and how its receiver is doing',
      etag: 'version',
      params: schemas.WebhookParams,
      responses: { 200: schemas.WebhookDetailsAnswer },
      handler: async ({ principal, params }) => {
        const webhook = await found(principal, params);
        return { status: 200, body: schemas.webhookDetailsAnswer(webhook), version: webhook.revision };
      },
    }),
    route({
      ...reading,
      method: 'GET',
      path: '/webhooks/:webhookId/deliveries',
      summary: 'List what was and is to be sent to a webhook, the newest first',
      params: schemas.WebhookParams,
      query: schemas.ListDeliveriesQuery,
      responses: { 200: schemas.DeliveryListAnswer },
      handler: async ({ principal, params, query }) => {
        const { webhookId } = await found(principal, params);
        const asked = { webhookId, state: query.status, ...rangeOf(query) };
        const now = clock.now();
        const { deliveries, total } = await listDeliveries(models, scopeOf(principal), asked, now);
        const shown = deliveries.map((delivery) => schemas.deliveryAnswer(delivery, now));
        return { status: 200, body: { deliveries: shown, ...pageOf(query, total) } };
      },
    }),
    route({
      ...reading,
      method: 'GET',
      path: '/webhooks/:webhookId/deliveries/:deliveryId',
      summary: 'Show a delivery with its attempts',
      etag: 'content',
      params: schemas.DeliveryParams,
      responses: { 200: schemas.DeliveryAnswer },
      handler: async ({ principal, params }) => {
        const { webhookId } = await found(principal, params);
        const delivery = await getDelivery(models, scopeOf(principal), webhookId, params.deliveryId);
        if (!delivery) throw notFound('delivery', params.deliveryId);
        return { status: 200, body: schemas.deliveryAnswer(delivery, clock.now()) };
      },
    }),
  ];
}

function changing(deps: WebhookRoutesDeps): readonly Route[] {
  return [
    route({
      ...writing,
      method: 'POST',
      path: '/webhooks',
      summary: 'Create a webhook; its secret is shown once',
      // Not idempotent: an answer that is kept would keep the secret.
      body: schemas.CreateWebhookBody,
      responses: { 201: schemas.WebhookWithSecretAnswer },
      refusals: ['Conflict'],
      handler: async ({ principal, context, body }) => {
        const { userId: createdBy, tenant: tenantId } = callerOf(principal);
        const { events: types, name = null, description = null, secret = null, ...rest } = body;
        const sent = { ...rest, types, name, description, secret, tenantId, createdBy };
        const made = await createWebhook(deps, context, sent);
        const shown = { ...schemas.webhookAnswer(made.webhook), secret: made.secret };
        return { status: 201, body: shown, position: made.position };
      },
    }),
    route({
      ...writing,
      method: 'PATCH',
      path: '/webhooks/:webhookId',
      summary: 'Change a webhook, switch it on or off',
      idempotent: true,
      etag: 'version',
      conditional: 'change',
      params: schemas.WebhookParams,
      body: schemas.ChangeWebhookBody,
      responses: { 200: schemas.WebhookAnswer },
      handler: async ({ principal, context, params, body: { events: types, ...rest } }) => {
        const changes = { ...rest, types };
        const wanted = { ...named(principal, params), changes };
        const { webhook, revision: version, position } = await changeWebhook(deps, context, wanted);
        return { status: 200, body: schemas.webhookAnswer(webhook), version, position };
      },
    }),
    route({
      ...writing,
      method: 'DELETE',
      path: '/webhooks/:webhookId',
      summary: 'Delete a webhook; what waits is not sent',
      idempotent: true,
      conditional: 'change',
      params: schemas.WebhookParams,
      responses: { 200: schemas.DoneAnswer },
      handler: async ({ principal, context, params }) => {
        const { position } = await deleteWebhook(deps, context, named(principal, params));
        return { status: 200, body: { success: true, message: 'Webhook deleted' }, position };
      },
    }),
    route({
      ...writing,
      method: 'POST',
      path: '/webhooks/:webhookId/rotate-secret',
      operationId: 'rotateWebhookSecret',
      summary: 'Give a webhook a new secret, shown once; those from before hold for a day',
      // Not idempotent: as above.
      params: schemas.WebhookParams,
      body: schemas.RotateSecretBody,
      responses: { 200: schemas.WebhookWithSecretAnswer },
      handler: async ({ principal, context, params, body: { secret = null } }) => {
        const rotated = await rotateWebhookSecret(deps, context, { ...named(principal, params), secret });
        const shown = { ...schemas.webhookAnswer(rotated.webhook), secret: rotated.secret };
        return { status: 200, body: shown, position: rotated.position };
      },
    }),
  ];
}

function sending(deps: WebhookRoutesDeps): readonly Route[] {
  const { models } = deps;
  return [
    route({
      ...writing,
      method: 'POST',
      path: '/webhooks/:webhookId/test',
      summary: 'Send a test; its delivery shows what came of it',
      idempotent: true,
      params: schemas.WebhookParams,
      responses: { 200: schemas.TestedAnswer },
      handler: async ({ principal, context, params }) => {
        const { deliveryId, position } = await testWebhook(deps, context, named(principal, params));
        const message = 'A webhook.test is on its way; look at its delivery';
        return { status: 200, body: { deliveryId, status: 'pending', message }, position };
      },
    }),
    route({
      ...writing,
      method: 'POST',
      path: '/webhooks/:webhookId/replay',
      operationId: 'replayWebhookDeliveries',
      summary: 'Send once more what has failed, the oldest first',
      idempotent: true,
      params: schemas.WebhookParams,
      body: schemas.ReplayBody,
      responses: { 200: schemas.ReplayedAnswer },
      handler: async ({ principal, context, params, body }) => {
        const { webhookId, within } = named(principal, params);
        const asked = { since: body.since ?? new Date(0).toISOString(), limit: mostReplayed };
        const deliveryIds = await failedDeliveries(models, scopeOf(principal), webhookId, asked);
        const { position } = await replayDeliveries(deps, context, { webhookId, within, deliveryIds });
        const replayed = deliveryIds.length;
        return { status: 200, body: { replayed, more: replayed === mostReplayed }, position };
      },
    }),
    route({
      ...writing,
      method: 'POST',
      path: '/webhooks/:webhookId/deliveries/:deliveryId/replay',
      summary: 'Send a delivery once more, whatever came of it',
      idempotent: true,
      params: schemas.DeliveryParams,
      responses: { 200: schemas.ReplayedAnswer },
      handler: async ({ principal, context, params }) => {
        const { webhookId, within } = named(principal, params);
        const known = await getDelivery(models, scopeOf(principal), webhookId, params.deliveryId);
        if (!known) throw notFound('delivery', params.deliveryId);
        const deliveryIds = [DeliveryId.parse(known.deliveryId)];
        const { position } = await replayDeliveries(deps, context, { webhookId, within, deliveryIds });
        return { status: 200, body: { replayed: 1, more: false }, position };
      },
    }),
  ];
}
