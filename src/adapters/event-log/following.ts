/** Catching up and following are one loop over pages: a page that ends at the log's end is live. So there is no seam. */
import type { RecordedEvent, SubscriptionBatch, SubscribeOptions } from '../../ports/event-store.ts';
import { checkLimit, placeOf, position } from './rules.ts';

/** Places are numbers from 1 in here; the log's start is 0. */
export interface Page {
  readonly events: readonly RecordedEvent[];
  readonly next: number;
  readonly end: boolean;
}

/** What a subscription needs of its log. */
export interface FollowedLog {
  readonly logId: string;
  head(): number;
  /** May answer fewer than `limit` events before the end, but always gets on. Ends early, with anything, at the signal. */
  page(
    after: number,
    filter: SubscribeOptions['filter'],
    limit: number,
    signal: AbortSignal | undefined,
  ): Promise<Page>;
  readonly growth: Growth;
}

/** Tells who waits that the log has grown or was closed. */
export interface Growth {
  readonly closed: boolean;
  announce(): void;
  close(): void;
  /** Resolves at the next announcement, at the close or when the signal aborts. */
  next(signal?: AbortSignal): Promise<void>;
}

export function openGrowth(): Growth {
  const waiting = new Set<() => void>();
  let closed = false;
  function announce(): void {
    for (const wake of [...waiting]) wake();
  }
  return {
    get closed() {
      return closed;
    },
    announce,
    close() {
      closed = true;
      announce();
    },
    next(signal) {
      return new Promise((resolve) => {
        function wake(): void {
          waiting.delete(wake);
          signal?.removeEventListener('abort', wake);
          resolve();
        }
        waiting.add(wake);
        signal?.addEventListener('abort', wake);
        if (closed || signal?.aborted) wake();
      });
    },
  };
}

const defaultBatchSize = 500;

/**
 * Yields a first batch at once, empty where nothing matches, so that a subscriber learns that it is live. Afterwards whatever
 * was committed since the last pull is one page: a slow subscriber gets few empty checkpoints, not one an event.
 */
export async function* follow(
  log: FollowedLog,
  options: SubscribeOptions,
): AsyncGenerator<SubscriptionBatch, void, undefined> {
  const { filter, signal, batchSize = defaultBatchSize } = options;
  checkLimit(batchSize);
  const over = (): boolean => log.growth.closed || signal?.aborted === true;
  let at = placeOf(log.logId, options.after);
  let told = false;
  while (!over()) {
    if (told && log.head() <= at) {
      await log.growth.next(signal);
      continue;
    }
    const page = await log.page(at, filter, batchSize, signal);
    if (over()) return;
    at = page.next;
    told = true;
    yield { events: page.events, checkpoint: position(log.logId, at), live: page.end };
  }
}
