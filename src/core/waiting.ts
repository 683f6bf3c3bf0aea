/** Waiting without a clock of one's own. */
import type { Clock } from '../ports/clock.ts';

/** Resolves `ms` from now, or at once when the signal says so. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  if (signal.aborted) return Promise.resolve();
  const done = (): void => {
    cancel();
    signal.removeEventListener('abort', done);
    resolve(undefined);
  };
  const cancel = clock.after(ms, done);
  signal.addEventListener('abort', done, { once: true });
  return promise;
}

/** Doubles from `firstMs` to at most `mostMs`. @param failures how often it failed in a row, from 1 */
export function backoff(failures: number, firstMs: number, mostMs: number): number {
  return Math.min(mostMs, firstMs * 2 ** (failures - 1));
}

/** One at a time for each key, in the order they came. */
export function createQueues(): <T>(key: string, task: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>();
  return (key, task) => {
    const previous = tails.get(key) ?? Promise.resolve();
    const run = previous.then(task, task);
    const tail = run.catch(() => undefined);
    tails.set(key, tail);
    void tail.then(() => {
      if (tails.get(key) === tail) tails.delete(key);
    });
    return run;
  };
}
