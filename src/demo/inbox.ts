/** What the receiver of the demo got so far, and who waits for more. */
import type { Received } from './receiver.ts';
import type { Teller } from './telling.ts';

export interface Inbox {
  /** Keeps it, and says in a line that it came. */
  readonly take: (received: Received) => void;
  /** What came of this type about this deployment, as soon as it did. */
  readonly awaited: (type: string, deploymentId: string) => Promise<Received>;
}

export function createInbox(teller: Pick<Teller, 'good'>): Inbox {
  const arrived: Received[] = [];
  const waiting = new Set<() => void>();
  return {
    take(received) {
      arrived.push(received);
      const { type, data } = received;
      teller.good(
        `→ the webhook was called: ${type}, ${String(data['service'])} ${String(data['version'])}; its signature is genuine`,
      );
      for (const look of [...waiting]) look();
    },
    awaited(type, deploymentId) {
      const { promise, resolve } = Promise.withResolvers<Received>();
      const look = (): void => {
        const found = arrived.find((one) => one.type === type && one.data['deploymentId'] === deploymentId);
        if (!found) return;
        waiting.delete(look);
        resolve(found);
      };
      waiting.add(look);
      look();
      return promise;
    },
  };
}
