/** Webhooks: where a tenant, or the platform, wants to be told what happens. */
import { changeWebhook } from '../../commands/change-webhook.ts';
import { createWebhook } from '../../commands/create-webhook.ts';
import { deleteWebhook } from '../../commands/delete-webhook.ts';
import { rotateWebhookSecret } from '../../commands/rotate-webhook-secret.ts';
import { listWebhooks } from '../../projections/webhook-documents.ts';
import { route, type Route } from '../http/route.ts';
import { callerOf, scopeOf } from '../plugin-manager/scope.ts';
import { pageOf, rangeOf } from './paging.ts';
import {
  changingOne,
  foundWebhook,
  named,
  reading,
  writing,
  type WebhookRoutesDeps,
} from './webhook-lookup.ts';
import * as schemas from './webhook-schemas.ts';

export function webhookRoutes(deps: WebhookRoutesDeps): readonly Route[] {
  return [...looking(deps), ...changing(deps)];
}

function looking({ models }: WebhookRoutesDeps): readonly Route[] {
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
        const webhook = await foundWebhook(models, principal, params);
        return { status: 200, body: schemas.webhookDetailsAnswer(webhook), version: webhook.revision };
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
      ...changingOne,
      method: 'PATCH',
      path: '/webhooks/:webhookId',
      summary: 'Change a webhook, switch it on or off',
      etag: 'version',
      conditional: 'change',
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
      ...changingOne,
      method: 'DELETE',
      path: '/webhooks/:webhookId',
      summary: 'Delete a webhook; what waits is not sent',
      conditional: 'change',
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
