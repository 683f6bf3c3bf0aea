/** Sends signed heads to an address of the operator's. The newest counts: it seals all that older ones did. */
import type { Clock } from '../../ports/clock.ts';
import type { Egress } from '../../ports/egress.ts';
import type { Log } from '../../ports/log.ts';
import type { SignedHead } from '../../ports/seals.ts';
import { backoff, sleep } from '../waiting.ts';

export interface HeadSender {
  /** Sends it, or a newer one, until it is taken. Returns at once. */
  send(head: SignedHead): void;
  stop(): Promise<void>;
}

export function createHeadSender(deps: {
  readonly url: string;
  readonly egress: Pick<Egress, 'request'>;
  readonly clock: Clock;
  readonly log: Log;
}): HeadSender {
  const { url, egress, clock, log } = deps;
  const ending = new AbortController();
  const { signal } = ending;
  let newest: SignedHead | null = null;
  let sending: Promise<void> | null = null;

  async function attempt(head: SignedHead): Promise<string | null> {
    try {
      const { status } = await egress.request({
        ...{ method: 'POST', url, timeoutMs: 10_000, maxResponseBytes: 65_536, signal },
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(head),
      });
      return status >= 200 && status < 300 ? null : `it answered ${status}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async function sendAll(): Promise<void> {
    for (let failures = 0; newest && !signal.aborted;) {
      const head: SignedHead = newest;
      const why = await attempt(head);
      if (why === null) {
        failures = 0;
        if (newest === head) newest = null;
        continue;
      }
      failures += 1;
      log.warn(
        { size: head.size, failures, why },
        'SLIPWAY_SEAL_URL did not take a signed head; again later',
      );
      await sleep(clock, backoff(failures, 1_000, 60_000), signal);
    }
    sending = null;
  }

  return {
    send(head) {
      newest = head;
      sending ??= sendAll();
    },
    async stop() {
      ending.abort();
      await sending;
    },
  };
}
