/** Runs a handler for keys: one run a key at a time, a bounded number at once, failures again after a while. */
import type { Clock } from '../ports/clock.ts';
import type { RecordedEvent } from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import { backoff } from './waiting.ts';

/** Why a key is woken. Only an event or a person wakes one that is parked or waits after a failure. */
export type Wake =
  | { readonly by: 'event'; readonly event: RecordedEvent }
  | { readonly by: 'start' }
  | { readonly by: 'due' }
  | { readonly by: 'retry' };

/** A key whose handler failed too often in a row. */
export interface ParkedKey {
  readonly key: string;
  readonly error: string;
  readonly failures: number;
  /** ISO 8601, UTC. */
  readonly parkedAt: string;
}

type Entry =
  | { readonly state: 'queued'; readonly wake: Wake; readonly failures: number }
  | { readonly state: 'running'; readonly again: Wake | null; readonly failures: number }
  | { readonly state: 'waiting'; readonly cancel: () => void; readonly failures: number }
  | { readonly state: 'parked'; readonly parked: ParkedKey; readonly failures: number };

export interface KeyRunner {
  wake(key: string, wake: Wake): void;
  /** Whether nothing is queued or running. What waits for the clock after a failure is at rest. */
  readonly quiet: boolean;
  readonly parked: readonly ParkedKey[];
  /** Starts nothing more; resolves when what runs has ended. */
  stop(): Promise<void>;
}

const mostFailures = 5;

export function createKeyRunner(options: {
  readonly handle: (key: string, wake: Wake) => Promise<void>;
  readonly concurrency: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when `quiet` may have changed. */
  readonly changed: () => void;
}): KeyRunner {
  const { handle, concurrency, clock, log, changed } = options;
  const entries = new Map<string, Entry>();
  const queue: string[] = [];
  const running = new Set<Promise<void>>();
  let stopped = false;

  function enqueue(key: string, wake: Wake, failures: number): void {
    entries.set(key, { state: 'queued', wake, failures });
    queue.push(key);
    pump();
  }

  function pump(): void {
    while (!stopped && running.size < concurrency) {
      const key = queue.shift();
      if (key === undefined) break;
      const entry = entries.get(key);
      if (entry?.state !== 'queued') continue;
      entries.set(key, { state: 'running', again: null, failures: entry.failures });
      const run: Promise<void> = runOnce(key, entry.wake, entry.failures).finally(() => {
        running.delete(run);
        pump();
        changed();
      });
      running.add(run);
    }
  }

  async function runOnce(key: string, wake: Wake, before: number): Promise<void> {
    let error: unknown = null;
    try {
      await handle(key, wake);
    } catch (thrown) {
      error = thrown ?? new Error('it failed');
    }
    const entry = entries.get(key);
    const again = entry?.state === 'running' ? entry.again : null;
    const failures = error === null ? 0 : before + 1;
    if (error !== null) log.warn({ key, failures, err: error }, 'a process failed');
    // What woke it meanwhile may be what it needs.
    if (again) enqueue(key, again, failures % mostFailures);
    else if (error === null) entries.delete(key);
    else if (failures < mostFailures) rest(key, wake, failures);
    else park(key, failures, error);
  }

  function rest(key: string, wake: Wake, failures: number): void {
    if (stopped) return;
    const cancel = clock.after(backoff(failures, 200, 30_000), () => enqueue(key, wake, failures));
    entries.set(key, { state: 'waiting', cancel, failures });
  }

  function park(key: string, failures: number, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown.message : String(thrown);
    const parkedAt = new Date(clock.now()).toISOString();
    entries.set(key, { state: 'parked', parked: { key, error, failures, parkedAt }, failures });
    log.error({ key, failures, error }, 'a key was parked; a new event of it or a retry wakes it');
  }

  return {
    wake(key, wake) {
      if (stopped) return;
      const entry = entries.get(key);
      const insistent = wake.by === 'event' || wake.by === 'retry';
      if (!entry) enqueue(key, wake, 0);
      else if (entry.state === 'queued') {
        if (insistent) entries.set(key, { ...entry, wake });
      } else if (entry.state === 'running') {
        // A due time is asked for again soon, and failing must not be a way around the backoff.
        if (insistent) entries.set(key, { ...entry, again: wake });
      } else if (insistent) {
        if (entry.state === 'waiting') entry.cancel();
        enqueue(key, wake, entry.state === 'parked' ? 0 : entry.failures);
      }
    },
    get quiet() {
      return queue.length === 0 && running.size === 0;
    },
    get parked() {
      return [...entries.values()].flatMap((entry) => (entry.state === 'parked' ? [entry.parked] : []));
    },
    async stop() {
      stopped = true;
      for (const entry of entries.values()) if (entry.state === 'waiting') entry.cancel();
      queue.length = 0;
      await Promise.all(running);
    },
  };
}
