/** What asks the sender to look at what is due: the clock, what came to its end, and people. */
import type { ProcessManager } from '../core/process-runner.ts';
import { webhookDeliveryEvents } from '../domain/webhook-deliveries.ts';
import type { WebhookSender } from './webhook-sender.ts';

const everything = ['all'];

export function webhookProcess({
  sender,
}: {
  readonly sender: Pick<WebhookSender, 'dispatch' | 'stop'>;
}): ProcessManager {
  return {
    // What happens on the platform wakes nobody: it is in the read model a moment later, which is asked once a second.
    types: [...Object.keys(webhookDeliveryEvents), 'WebhookActivated'],
    keysOf: () => everything,
    inFlight: async () => everything,
    due: async () => everything,
    handle: (_key, { event }) => sender.dispatch(event?.position ?? null),
    end: () => sender.stop(),
  };
}
