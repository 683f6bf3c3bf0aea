/** Questions whose answer may wait for news: bounded in number and time, and ended when the server stops. */
import type { Clock } from '../ports/clock.ts';

export interface LongPoll<T> {
  /** Where news is waited for. */
  readonly place: string;
  /** How long at most, in milliseconds; 0 asks once. */
  readonly waitMs: number;
  readonly ask: () => Promise<T>;
  readonly isNews: (answer: T) => boolean;
  /** Calls back when nobody waits for the answer any more. */
  readonly whenGone: (callback: () => void) => void;
}

export interface LongPolls {
  /**
   * Asks at once, and again after every change at its place, until the answer is news or its time is over; then the last answer.
   * @throws {TooManyWaiting} when it would have to wait beside too many others
   */
  poll<T>(question: LongPoll<T>): Promise<T>;
  /** Something changed at a place. */
  changed(place: string): void;
  /** All that wait are answered now; from then on nobody waits. */
  stop(): void;
}

/** Faces answer 503. */
export class TooManyWaiting extends Error {
  override readonly name = 'TooManyWaiting';
}

interface Waiter {
  /** Changes since it last asked: one that comes while it asks counts. */
  changes: number;
  over: boolean;
  wake: () => void;
}

/** @param options.most in all, default 10,000; at one place, so that none starves the others, a tenth of them */
export function createLongPolls(options: {
  readonly clock: Pick<Clock, 'after' | 'monotonic'>;
  readonly most?: number;
}): LongPolls {
  const { clock, most = 10_000 } = options;
  const places = new Map<string, Set<Waiter>>();
  let waiting = 0;
  let stopped = false;

  function enter(place: string, waiter: Waiter): void {
    const here = places.get(place) ?? new Set();
    if (waiting >= most || here.size >= most / 10) throw new TooManyWaiting(`${waiting} wait already`);
    places.set(place, here.add(waiter));
    waiting += 1;
  }

  function leave(place: string, waiter: Waiter): void {
    const here = places.get(place);
    if (here?.delete(waiter)) waiting -= 1;
    if (here?.size === 0) places.delete(place);
  }

  function news(waiter: Waiter, ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const cancel = clock.after(ms, () => waiter.wake());
    waiter.wake = () => {
      cancel();
      resolve(undefined);
    };
    return promise;
  }

  return {
    poll: async ({ place, waitMs, ask, isNews, whenGone }) => {
      if (stopped || waitMs <= 0) return ask();
      const end = clock.monotonic() + waitMs;
      const waiter: Waiter = { changes: 0, over: false, wake: () => undefined };
      enter(place, waiter);
      whenGone(() => finish(waiter));
      try {
        for (;;) {
          waiter.changes = 0;
          const answer = await ask();
          const left = end - clock.monotonic();
          if (waiter.over || left <= 0 || isNews(answer)) return answer;
          if (waiter.changes === 0) await news(waiter, left);
        }
      } finally {
        leave(place, waiter);
      }
    },
    changed: (place) => {
      for (const waiter of [...(places.get(place) ?? [])]) {
        waiter.changes += 1;
        waiter.wake();
      }
    },
    stop: () => {
      stopped = true;
      for (const here of [...places.values()]) for (const waiter of [...here]) finish(waiter);
    },
  };
}

function finish(waiter: Waiter): void {
  waiter.over = true;
  waiter.wake();
}
