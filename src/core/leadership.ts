/** What one process at a time does, of all that could. */
import type { Clock } from '../ports/clock.ts';
import type { Lease, Leases } from '../ports/leases.ts';
import type { Log } from '../ports/log.ts';
import { sleep, unlessAborted } from './waiting.ts';

/** The time in which this process leads. */
export interface Term {
  /** Higher than that of every term before, of any process; null: no other process can lead. */
  readonly fence: number | null;
  /** Aborts when the term is over, or is to be ended. */
  readonly signal: AbortSignal;
  /** Whether another process may lead by now, also where nobody has had time to abort anything. */
  isOver(): boolean;
}

export interface Leadership {
  /** Whether no other process can lead. */
  readonly isAlone: boolean;
  /**
   * Does the work in every term of this process, one after the other, until the signal aborts. Work ends soon after its term does;
   * while it lasts longer, another process may have begun its own, and only the fence keeps them apart. Work that ends or throws in
   * the middle of its term is begun again, in another one. Never throws; resolves when work has ended and the lease is given back.
   */
  lead(name: string, signal: AbortSignal, work: (term: Term) => Promise<void>): Promise<void>;
}

/** Another process does this, and this one must not. */
export class LedElsewhere extends Error {
  override readonly name = 'LedElsewhere';
}

/** Does something once, while no other process does it. @throws what `work` throws */
export async function leadOnce(
  leadership: Leadership,
  name: string,
  work: () => Promise<void>,
): Promise<void> {
  const done = new AbortController();
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  // Whoever waits for it below hears of it.
  promise.catch(() => undefined);
  await leadership.lead(name, done.signal, async () => {
    await work().then(() => resolve(undefined), reject);
    done.abort();
  });
  await promise;
}

interface Held {
  /** Monotonic milliseconds. */
  until: number;
}

/** Milliseconds: how long nobody leads when a process is gone without a word. */
export const leaseMs = 10_000;
const renewEveryMs = leaseMs / 4;
/** How often a process that does not lead asks whether it may. */
const askEveryMs = 1_000;
const releasedWithinMs = 1_000;

/** Of the one process that there can be: whoever opened its stores holds the lock on them. The work begins within the call. */
export function leadAlone({ clock, log }: { readonly clock: Clock; readonly log: Log }): Leadership {
  return {
    isAlone: true,
    async lead(name, signal, work) {
      while (!signal.aborted) {
        await work({ fence: null, signal, isOver: () => false }).catch((error: unknown) =>
          toldOf(log, name, error),
        );
        await sleep(clock, askEveryMs, signal);
      }
    },
  };
}

/** @param options.holder who this process is, for people who look */
export function leadByLease(options: {
  readonly leases: Leases;
  readonly holder: string;
  readonly clock: Clock;
  readonly log: Log;
}): Leadership {
  const { leases, holder, clock, log } = options;

  async function acquire(name: string): Promise<Lease | null> {
    try {
      return await leases.acquire(name, holder, leaseMs);
    } catch (error) {
      log.warn({ lease: name, err: error }, 'who leads could not be found out; it is asked again');
      return null;
    }
  }

  /**
   * Until the term is over. By this process's own clock, a lease lasts from when it was asked for: never longer than by the store's.
   */
  async function keep(lease: Lease, held: Held, term: AbortController): Promise<void> {
    let cancel = (): void => undefined;
    const endAt = (from: number): void => {
      cancel();
      if (term.signal.aborted) return;
      held.until = from + leaseMs;
      cancel = clock.after(held.until - clock.monotonic(), () => end('it was not prolonged in time'));
    };
    const end = (reason: string): void => {
      if (term.signal.aborted) return;
      held.until = -Infinity;
      log.warn({ lease: lease.name, fence: lease.fence, reason }, 'this process leads no longer');
      term.abort();
    };
    endAt(held.until - leaseMs);
    for (;;) {
      await sleep(clock, renewEveryMs, term.signal);
      if (term.signal.aborted) break;
      const from = clock.monotonic();
      const renewed = leases.renew(lease, leaseMs).then(
        (held) => (held ? endAt(from) : end('it was over, or has gone to another')),
        (error: unknown) =>
          log.warn({ lease: lease.name, err: error }, 'a lease could not be prolonged; it is tried again'),
      );
      // A store that does not answer must not hold up who stops.
      await unlessAborted(renewed, term.signal);
    }
    cancel();
  }

  async function serve(
    lease: Lease,
    asked: number,
    signal: AbortSignal,
    work: (term: Term) => Promise<void>,
  ): Promise<void> {
    const term = new AbortController();
    const end = (): void => term.abort();
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    log.info({ lease: lease.name, fence: lease.fence }, 'this process leads');
    const held: Held = { until: asked + leaseMs };
    const kept = keep(lease, held, term);
    const isOver = (): boolean => clock.monotonic() >= held.until;
    await work({ fence: lease.fence, signal: term.signal, isOver }).catch((error: unknown) =>
      toldOf(log, lease.name, error),
    );
    end();
    signal.removeEventListener('abort', end);
    await kept;
    const released = leases.release(lease).catch((error: unknown) => {
      log.warn({ lease: lease.name, err: error }, 'a lease could not be given back; it ends by itself');
    });
    const given = new AbortController();
    await Promise.race([released, sleep(clock, releasedWithinMs, given.signal)]);
    given.abort();
  }

  return {
    isAlone: false,
    async lead(name, signal, work) {
      while (!signal.aborted) {
        const asked = clock.monotonic();
        const lease = await unlessAborted(acquire(name), signal);
        if (lease) await serve(lease, asked, signal, work);
        await sleep(clock, askEveryMs, signal);
      }
    },
  };
}

function toldOf(log: Log, name: string, error: unknown): void {
  log.error({ err: error, lease: name }, 'what only one process does has failed; it is begun again');
}
