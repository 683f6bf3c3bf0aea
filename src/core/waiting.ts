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

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** What the work comes to, unless the signal aborts first: then undefined, whatever becomes of it. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<T | undefined>();
  const leave = (): void => resolve(undefined);
  // Not a race of promises: that of the signal would remember everything it was ever raced with.
  if (signal.aborted) leave();
  else signal.addEventListener('abort', leave, { once: true });
  work.then(resolve, reject);
  return promise.finally(() => signal.removeEventListener('abort', leave));
}

/** Doubles from `firstMs` to at most `mostMs`. @param failures how often it failed in a row, from 1 */
export function backoff(failures: number, firstMs: number, mostMs: number): number {
  return Math.min(mostMs, firstMs * 2 ** (failures - 1));
}

/** Answers that were asked for after the call: those who call while one is under way share the next one. */
export function createShared<T>(ask: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | null = null;
  let next: Promise<T> | null = null;
  function begin(): Promise<T> {
    next = null;
    const asked = ask().finally(() => {
      if (running === asked) running = null;
    });
    running = asked;
    return asked;
  }
  return () => {
    if (!running) return begin();
    next ??= running.then(begin, begin);
    return next;
  };
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
