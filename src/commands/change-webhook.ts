/** Another address, other events, on or off. */
import { CommandRefused, type CommandContext } from '../core/executor.ts';
import { conditional } from '../core/precondition.ts';
import type { WebhookId } from '../domain/ids.ts';
import {
  changeWebhook as decide,
  noSuchWebhook,
  webhook,
  webhookWithin,
  type Webhook,
  type WebhookChanges,
  type Within,
} from '../domain/webhook.ts';
import type { ExpectedRevision, Position } from '../ports/event-store.ts';
import { refuseUrl, type WebhookDeps } from './create-webhook.ts';
import { refuseSuspended } from './refuse-suspended.ts';

/** @throws {CommandRefused} NotFound, also for another tenant's; Forbidden for a suspended tenant; PreconditionFailed; Invalid for a URL that is never asked */
export async function changeWebhook(
  deps: WebhookDeps,
  context: CommandContext,
  input: { readonly webhookId: WebhookId; readonly within: Within; readonly changes: WebhookChanges },
): Promise<{
  readonly webhook: Webhook;
  readonly revision: ExpectedRevision;
  readonly position: Position | null;
}> {
  const { executor } = deps;
  const { webhookId, within, changes } = input;
  const { tenantId } = await writable(deps, webhookId, within);
  if (changes.url !== undefined) refuseUrl(deps, changes.url);
  const { state, revision, position } = await executor.execute({
    ...{ aggregate: webhook, id: webhookId, tenant: tenantId, context },
    decide: (now, at) => conditional(context, at, decide(now, webhookId, within, changes)),
  });
  const changed = webhookWithin(state, within);
  if (!changed) throw new CommandRefused(noSuchWebhook(webhookId));
  return { webhook: changed, revision, position };
}

/** A webhook that may be written to now. @throws {CommandRefused} NotFound, Forbidden */
export async function writable(
  { executor }: Pick<WebhookDeps, 'executor'>,
  webhookId: WebhookId,
  within: Within,
): Promise<Webhook> {
  const known = webhookWithin((await executor.load(webhook, webhookId)).state, within);
  if (!known) throw new CommandRefused(noSuchWebhook(webhookId));
  await refuseSuspended(executor, known.tenantId);
  return known;
}
