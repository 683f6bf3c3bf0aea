/** The log on EventStoreDB or KurrentDB: one order for any number of processes, told by the cluster's leader. */
import { StoreUnavailable, type EventStore } from '../../ports/event-store.ts';
import { follow, openGrowth, type FollowedLog, type Page } from '../event-log/following.ts';
import { checkAppend, checkLimit, checkRetention, placeOf, position } from '../event-log/rules.ts';
import { openAppending } from './appending.ts';
import { openAppends, type Appends } from './appends.ts';
import { connect, type Connection } from './connection.ts';
import { runFeed } from './feed.ts';
import { identityOf } from './identity.ts';
import { pause } from './pause.ts';
import { openReads } from './reads.ts';
import { encoded, isForeign, recordedEvent } from './records.ts';
import { openRetention } from './retention.ts';
import { scavenge } from './scavenging.ts';
import { openTail } from './tail.ts';
import { openTimes } from './times.ts';

export interface EventStoreDbOptions {
  /** A connection string: `esdb://user:password@host:2113?tls=true`, with several hosts or `esdb+discover://` for a cluster. */
  readonly url: string;
  /** How long opening waits for a server, milliseconds. */
  readonly openWithinMs?: number;
  /** Most appends that are sent and not answered. */
  readonly inFlight?: number;
  /** How long an append or a read may go without an answer, milliseconds. */
  readonly patienceMs?: number;
  /** The shortest time between the beginnings of two scavenges, milliseconds. */
  readonly scavengePauseMs?: number;
  /** The server's setting ChunkSize, in bytes. */
  readonly chunkBytes?: number;
}

const healAfterMs = 250;
const oneDayMs = 24 * 60 * 60 * 1000;

/**
 * @throws {RangeError} when `url` is no connection string
 * @throws {StoreUnavailable} when no server answers in time
 */
export async function openEventStoreDb(options: EventStoreDbOptions): Promise<EventStore> {
  const { url, openWithinMs = 30_000, inFlight = 256, patienceMs = 5_000 } = options;
  const connection = connect(url, patienceMs);
  const appends = openAppends(connection, { inFlight, patience: patienceMs });
  const logId = await identityWithin(openWithinMs, connection, appends).catch(async (error: unknown) => {
    await connection.close();
    throw error;
  });
  const appending = openAppending(connection, appends);
  const reads = openReads(connection, logId);
  const retention = openRetention(connection, appends);
  const times = openTimes(reads, options.chunkBytes);
  const growth = openGrowth();
  const tail = openTail();
  const closing = new AbortController();
  const working = new Set<Promise<unknown>>();
  let feed: Promise<void> | null = null;
  let closed: Promise<void> | null = null;

  /** So that a close waits for it. */
  async function work<T>(action: () => Promise<T>): Promise<T> {
    if (closed) throw new StoreUnavailable('the connection to EventStoreDB is closed');
    const running = action();
    working.add(running);
    try {
      return await running;
    } finally {
      working.delete(running);
    }
  }

  /** A subscriber does not see that the server was away: it waits for its page. */
  async function page(
    after: number,
    filter: Parameters<FollowedLog['page']>[1],
    limit: number,
    signal: AbortSignal,
  ): Promise<Page> {
    while (!signal.aborted) {
      try {
        return tail.page(after, filter, limit) ?? (await work(() => reads.all(after, filter, limit)));
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        await pause(healAfterMs, signal);
      }
    }
    return { events: [], next: after, end: false };
  }

  const followed: FollowedLog = {
    logId,
    growth,
    head: () => tail.end,
    page(after, filter, limit, signal) {
      feed ??= runFeed({
        ...{ connection, tail, growth },
        head: () => work(() => reads.head()),
        event: (record) => recordedEvent(logId, record),
        signal: closing.signal,
      });
      return page(after, filter, limit, signal ? AbortSignal.any([signal, closing.signal]) : closing.signal);
    },
  };

  return {
    logId,

    async append(stream, expected, events) {
      checkAppend(stream, expected, events);
      if (events.some(({ type }) => isForeign(stream, type)))
        throw new RangeError('names that begin with $, and the stream slipway-log, are the store’s own');
      const ready = events.map(encoded);
      const { revision, place } = await work(async () => appending.append(stream, expected, ready));
      return { revision, position: position(logId, place) };
    },

    async readStream(stream, question) {
      checkLimit(question.limit);
      return work(() => reads.stream(stream, question));
    },

    async readAll({ after, filter, limit }) {
      checkLimit(limit);
      const place = placeOf(logId, after);
      const read = await work(() => reads.all(place, filter, limit));
      return { ...read, next: position(logId, read.next) };
    },

    async search({ from, limit, ...question }) {
      checkLimit(limit);
      const place = from === null ? null : placeOf(logId, from);
      const read = await work(() => reads.search({ ...question, from: place, limit }));
      return { ...read, next: position(logId, read.next) };
    },

    positionAt: async (at) =>
      position(logId, await work(async () => reads.eventUpTo(await times.placeAt(at)))),
    head: async () => position(logId, await work(() => reads.head())),
    subscribe: (question) => follow(followed, question),

    async setRetention(stream, kept) {
      checkRetention(kept);
      await work(() => retention.set(stream, kept));
    },
    retention: (stream) => work(() => retention.of(stream)),
    scavenge: () => work(() => scavenge(connection, options.scavengePauseMs ?? oneDayMs, closing.signal)),
    compare: (a, b) => placeOf(logId, a) - placeOf(logId, b),

    close() {
      closed ??= (async () => {
        growth.close();
        closing.abort();
        await Promise.allSettled(working);
        await feed;
        await appends.close();
        await connection.close();
      })();
      return closed;
    },
  };
}

async function identityWithin(ms: number, connection: Connection, appends: Appends): Promise<string> {
  for (const until = Date.now() + ms; ;) {
    try {
      return await identityOf(connection, appends);
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || Date.now() >= until) throw error;
      await pause(healAfterMs);
    }
  }
}
