/** Its end: nothing more is sent, its secrets are gone, its place is free. */
import { step } from '../core/context.ts';
import type { CommandContext } from '../core/executor.ts';
import { conditional } from '../core/precondition.ts';
import type { WebhookId } from '../domain/ids.ts';
import { deleteWebhook as decide, webhook, type Within } from '../domain/webhook.ts';
import { freePlace, webhookPlaces } from '../domain/webhook-places.ts';
import type { Position } from '../ports/event-store.ts';
import { writable } from './change-webhook.ts';
import type { WebhookDeps } from './create-webhook.ts';

/** @throws {CommandRefused} NotFound, also for another tenant's; Forbidden for a suspended tenant; PreconditionFailed */
export async function deleteWebhook(
  deps: WebhookDeps,
  context: CommandContext,
  { webhookId, within }: { readonly webhookId: WebhookId; readonly within: Within },
): Promise<{ readonly position: Position | null }> {
  const { executor, webhookSecrets } = deps;
  const { tenantId } = await writable(deps, webhookId, within);
  const { position } = await executor.execute({
    ...{ aggregate: webhook, id: webhookId, tenant: tenantId, context },
    decide: (state, revision) => conditional(context, revision, decide(state, webhookId, within)),
  });
  await webhookSecrets.forget({ tenantId, webhookId });
  // A crash before this costs a place for a while: who needs it finds that the webhook is gone.
  await executor.execute({
    ...{ aggregate: webhookPlaces, id: tenantId, tenant: tenantId, context: step(context, 'free its place') },
    decide: (state) => freePlace(state, webhookId),
  });
  return { position };
}
