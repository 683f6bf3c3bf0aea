/** A new secret; those from before hold for a day, so that receivers can change over without missing anything. */
import { CommandRefused, type CommandContext } from '../core/executor.ts';
import { mintWebhookSecret } from '../core/webhook-secrets.ts';
import type { WebhookId } from '../domain/ids.ts';
import {
  noSuchWebhook,
  rotateSecret,
  webhook,
  webhookWithin,
  type Webhook,
  type Within,
} from '../domain/webhook.ts';
import type { Position } from '../ports/event-store.ts';
import { writable } from './change-webhook.ts';
import type { WebhookDeps } from './create-webhook.ts';

export const graceMs = 24 * 3_600_000;

/**
 * @param input.secret null: one is made
 * @returns secret: which is shown once
 * @throws {CommandRefused} NotFound, also for another tenant's; Forbidden for a suspended tenant
 */
export async function rotateWebhookSecret(
  deps: WebhookDeps,
  context: CommandContext,
  input: { readonly webhookId: WebhookId; readonly within: Within; readonly secret: string | null },
): Promise<{ readonly webhook: Webhook; readonly secret: string; readonly position: Position | null }> {
  const { executor, webhookSecrets, clock } = deps;
  const { webhookId, within } = input;
  const { tenantId } = await writable(deps, webhookId, within);
  const secret = input.secret ?? mintWebhookSecret();
  const othersUntil = new Date(clock.now() + graceMs);
  // First: when it fails in between, one secret too many holds, and none is missing.
  await webhookSecrets.add({ tenantId, webhookId }, secret, othersUntil);
  const { state, position } = await executor.execute({
    ...{ aggregate: webhook, id: webhookId, tenant: tenantId, context },
    decide: (now) => rotateSecret(now, webhookId, within, othersUntil.toISOString()),
  });
  const rotated = webhookWithin(state, within);
  if (!rotated) throw new CommandRefused(noSuchWebhook(webhookId));
  return { webhook: rotated, secret, position };
}
