/**
 * The live end of the log: one subscription to the server for all subscribers of a process. It fills the tail and tells that the log
 * has grown; it is no promise. When it breaks, it is opened again from the log's end, and what came between is read page by page by
 * whoever needs it: so nothing depends on where the server would resume (from a record that was scavenged it skips one).
 */
import type { RecordedEvent } from '../../ports/event-store.ts';
import type { Growth } from '../event-log/following.ts';
import { pause } from './pause.ts';
import type { Connection } from './connection.ts';
import type { StoredRecord } from './records.ts';
import type { Tail } from './tail.ts';

export interface FeedOptions {
  readonly connection: Connection;
  readonly tail: Tail;
  readonly growth: Growth;
  /** The place of the log's last record. */
  readonly head: () => Promise<number>;
  /** @throws {DamagedEvent} */
  readonly event: (record: StoredRecord) => RecordedEvent | null;
  /** Ends it. */
  readonly signal: AbortSignal;
}

const firstPauseMs = 50;
const longestPauseMs = 2_000;

export async function runFeed(options: FeedOptions): Promise<void> {
  const { connection, tail, growth, head, event, signal } = options;
  let wait = firstPauseMs;
  let told = false;
  while (!signal.aborted) {
    const ended = Promise.withResolvers<undefined>();
    const confirmed = Promise.withResolvers<boolean>();
    let early: StoredRecord[] | null = [];
    const feed = connection.follow({
      live: () => confirmed.resolve(true),
      record(record) {
        if (early) early.push(record);
        else take(record);
        announce();
      },
      end() {
        confirmed.resolve(false);
        ended.resolve(undefined);
      },
    });
    const close = (): void => feed.close();
    signal.addEventListener('abort', close);
    // Whatever was stored before the server confirmed is up to the head; everything behind it comes through the feed.
    const from = (await confirmed.promise) ? await head().catch(() => null) : null;
    if (from === null) feed.close();
    else {
      wait = firstPauseMs;
      tail.restart(from);
      const held: readonly StoredRecord[] = early;
      early = null;
      held.forEach(take);
      growth.announce();
    }
    await ended.promise;
    signal.removeEventListener('abort', close);
    await pause(wait, signal);
    wait = Math.min(longestPauseMs, wait * 2);
  }

  function take(record: StoredRecord): void {
    try {
      tail.push(record.place, event(record));
    } catch {
      // Damaged: who needs it reads it from the server, and fails there.
      tail.restart(record.place);
    }
  }

  /** Many records come at once: who waits is woken once for them. */
  function announce(): void {
    if (told) return;
    told = true;
    setImmediate(() => {
      told = false;
      growth.announce();
    });
  }
}
