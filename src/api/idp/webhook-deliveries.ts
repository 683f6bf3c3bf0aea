/** Deliveries: what was and is to be sent to a webhook, and sending it once more. */
import { replayDeliveries, testWebhook } from '../../commands/send-to-webhook.ts';
import { failedDeliveries, listDeliveries } from '../../projections/webhook-delivery-documents.ts';
import { route, type Route } from '../http/route.ts';
import { scopeOf } from '../plugin-manager/scope.ts';
import { pageOf, rangeOf } from './paging.ts';
import {
  changingOne,
  foundDelivery,
  foundWebhook,
  named,
  reading,
  type WebhookRoutesDeps,
} from './webhook-lookup.ts';
import * as schemas from './webhook-schemas.ts';

const mostReplayed = 1_000;

export function webhookDeliveryRoutes(deps: WebhookRoutesDeps): readonly Route[] {
  const { models, clock } = deps;
  return [
    route({
      ...reading,
      method: 'GET',
      path: '/webhooks/:webhookId/deliveries',
      summary: 'List what was and is to be sent to a webhook, the newest first',
      params: schemas.WebhookParams,
      query: schemas.ListDeliveriesQuery,
      responses: { 200: schemas.DeliveryListAnswer },
      handler: async ({ principal, params, query }) => {
        const { webhookId } = await foundWebhook(models, principal, params);
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
        await foundWebhook(models, principal, params);
        const delivery = await foundDelivery(models, principal, params);
        return { status: 200, body: schemas.deliveryAnswer(delivery, clock.now()) };
      },
    }),
    route({
      ...changingOne,
      method: 'POST',
      path: '/webhooks/:webhookId/test',
      summary: 'Send a test; its delivery shows what came of it',
      responses: { 200: schemas.TestedAnswer },
      handler: async ({ principal, context, params }) => {
        const { deliveryId, position } = await testWebhook(deps, context, named(principal, params));
        const message = 'A webhook.test is on its way; look at its delivery';
        return { status: 200, body: { deliveryId, status: 'pending', message }, position };
      },
    }),
    route({
      ...changingOne,
      method: 'POST',
      path: '/webhooks/:webhookId/replay',
      operationId: 'replayWebhookDeliveries',
      summary: 'Send once more what has failed, the oldest first',
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
      ...changingOne,
      method: 'POST',
      path: '/webhooks/:webhookId/deliveries/:deliveryId/replay',
      summary: 'Send a delivery once more, whatever came of it',
      params: schemas.DeliveryParams,
      responses: { 200: schemas.ReplayedAnswer },
      handler: async ({ principal, context, params }) => {
        const { deliveryId } = await foundDelivery(models, principal, params);
        const asked = { ...named(principal, params), deliveryIds: [deliveryId] };
        const { position } = await replayDeliveries(deps, context, asked);
        return { status: 200, body: { replayed: 1, more: false }, position };
      },
    }),
  ];
}
