/** The embedded log: one SQLite file, written by a thread of its own, read from here. One process a file (folder-lock.ts). */
import type { Clock } from '../../ports/clock.ts';
import {
  StoreUnavailable,
  WrongExpectedRevision,
  type Appended,
  type EventStore,
  type ExpectedRevision,
  type NewEvent,
} from '../../ports/event-store.ts';
import { openBatches } from './event-store-batches.ts';
import { openStreamEnds } from './event-store-ends.ts';
import { outcome, type PackedAppends } from './event-store-messages.ts';
import { openReads } from './event-store-reads.ts';
import { checkAppend, checkLimit, checkRetention, placeOf, position } from '../event-log/rules.ts';
import { openSearch } from './event-store-search.ts';
import { openForReading, prepareLog } from './event-store-schema.ts';
import { follow, openGrowth, type FollowedLog } from '../event-log/following.ts';
import { openTail } from './event-store-tail.ts';

export interface SqliteEventStoreOptions {
  /** Of the file; made where there is none. Its folder must be there. */
  readonly path: string;
  /** Only `now` is asked, for retention by age. Default: the system's. */
  readonly clock?: Pick<Clock, 'now'>;
  /** Most pages of 4 KiB that the file may have: for tests of a full disk. */
  readonly maxPages?: number;
}

/**
 * @throws {UnreadableLog} when the file is of a newer version or is no log
 */
export async function openSqliteEventStore(options: SqliteEventStoreOptions): Promise<EventStore> {
  const { path, clock = { now: () => Date.now() }, maxPages } = options;
  const { logId } = prepareLog(path);
  const growth = openGrowth();
  const tail = openTail(logId, 0);
  const ends = openStreamEnds();
  let head = 0;
  const batches = await openBatches({
    path,
    ...(maxPages !== undefined && { maxPages }),
    now: () => clock.now(),
    onReady(end) {
      head = end;
      tail.restart(end);
      ends.clear();
      growth.announce();
    },
    onCommitted(packed, results) {
      pushCommitted(packed, results);
      growth.announce();
    },
  });
  const database = openForReading(path);
  const reads = openReads(database, logId);
  const search = openSearch(database, logId);
  const reading = new Set<Promise<unknown>>();
  let closed: Promise<void> | null = null;

  function refuseWhenClosed(): void {
    if (closed) throw new StoreUnavailable(`the log ${path} is closed`);
  }

  /** So that a close waits for it. */
  async function read<T>(work: () => Promise<T>): Promise<T> {
    refuseWhenClosed();
    const running = work();
    reading.add(running);
    try {
      return await running;
    } finally {
      reading.delete(running);
    }
  }

  function pushCommitted({ counts, texts }: PackedAppends, results: readonly number[]): void {
    let at = 0;
    for (let n = 0, result = 0; n < counts.length; n += 2, result += 3) {
      const [expected = -1, count = 0] = [counts[n], counts[n + 1]];
      const end = at + 1 + count * 4;
      if (results[result] === outcome.appended) {
        const stream = texts[at] ?? '';
        head = results[result + 2] ?? head;
        let place = head - count;
        for (let event = at + 1, revision = expected + 1; event < end; event += 4, revision += 1)
          tail.push((place += 1), stream, revision, texts, event);
        ends.learn(stream, expected + 1 + count);
      } else ends.forget(texts[at] ?? '');
      at = end;
    }
  }

  const followed: FollowedLog = {
    logId,
    growth,
    head: () => head,
    page: async (after, filter, limit) =>
      tail.page(after, filter, limit) ?? read(() => reads.all(after, filter, limit, head)),
  };

  return {
    logId,

    async append(stream, expected, events) {
      checkAppend(stream, expected, events);
      refuseWhenClosed();
      const written = await batches
        .append((packed) => pack(packed, stream, expected, events))
        .catch((error: unknown) => {
          // A COMMIT that failed may have been one.
          ends.clear();
          throw error;
        });
      if (written.outcome === outcome.conflict)
        throw new WrongExpectedRevision(stream, expected, written.revision < 0 ? 'none' : written.revision);
      return { revision: written.revision, position: position(logId, written.place) } satisfies Appended;
    },

    async readStream(stream, question) {
      checkLimit(question.limit);
      const { from = 0, direction = 'forwards', limit } = question;
      if (direction === 'backwards') return read(() => reads.stream(stream, question, clock.now()));
      refuseWhenClosed();
      if (ends.isBehind(stream, from)) return [];
      const seen = head;
      const events = await read(() => reads.stream(stream, question, clock.now()));
      // What was committed meanwhile has told more already.
      if (events.length < limit && head === seen)
        ends.learn(stream, (events.at(-1)?.revision ?? from - 1) + 1);
      return events;
    },

    async readAll({ after, filter, limit }) {
      checkLimit(limit);
      const place = placeOf(logId, after);
      const page = await read(() => reads.all(place, filter, limit, head));
      return { ...page, next: position(logId, page.next) };
    },

    async search({ direction, from, where, limit }) {
      checkLimit(limit);
      const place = from === null ? null : placeOf(logId, from);
      const page = await read(() => search.page({ direction, from: place, where, limit }, head));
      return { ...page, next: position(logId, page.next) };
    },

    async positionAt(at) {
      refuseWhenClosed();
      return position(logId, search.placeAt(at, head));
    },

    async head() {
      refuseWhenClosed();
      return position(logId, head);
    },

    subscribe: (question) => follow(followed, question),

    async setRetention(stream, retention) {
      checkRetention(retention);
      refuseWhenClosed();
      await batches.retain(stream, retention);
      // What had expired may be kept again.
      ends.forget(stream);
    },

    async retention(stream) {
      refuseWhenClosed();
      return reads.retention(stream);
    },

    async scavenge() {
      refuseWhenClosed();
      const removed = await batches.scavenge(clock.now());
      // What is gone from disk is not to be had from memory either.
      if (removed > 0) tail.restart(head);
      return { removed };
    },

    compare: (a, b) => placeOf(logId, a) - placeOf(logId, b),

    close() {
      closed ??= (async () => {
        growth.close();
        await Promise.allSettled(reading);
        database.close();
        await batches.close();
      })();
      return closed;
    },
  };
}

function pack(
  { counts, texts }: PackedAppends,
  stream: string,
  expected: ExpectedRevision,
  events: readonly NewEvent[],
): void {
  const before = texts.length;
  try {
    texts.push(stream);
    for (const { id, type, data, metadata } of events)
      texts.push(id, type, JSON.stringify(data), JSON.stringify(metadata));
  } catch (error) {
    // What is no JSON (a cycle) must not leave half an append between its neighbours.
    texts.length = before;
    throw error;
  }
  counts.push(expected === 'none' ? -1 : expected, events.length);
}
