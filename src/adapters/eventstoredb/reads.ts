/** Pages of the log and of streams, from a server that counts places in bytes and shows records of its own among the events. */
import { setImmediate } from 'node:timers/promises';
import type { EventFilter, EventStore, LogSearch, RecordedEvent } from '../../ports/event-store.ts';
import { fits } from '../../ports/log-search.ts';
import type { Page } from '../event-log/following.ts';
import { matcher } from '../event-log/rules.ts';
import type { Connection } from './connection.ts';
import { recordedEvent, type StoredRecord } from './records.ts';

/** Records that a page with a filter, or a search, asks for at once. */
const scannedAtOnce = 1_000;
/** Records looked at in one page: what matches nothing gets on, and says how far. */
const scannedAPage = 20_000;

export interface Reads {
  /** The place of the log's last record, 0 in an empty log. */
  head(): Promise<number>;
  /** One page of what is behind `after`. */
  all(after: number, filter: EventFilter | undefined, limit: number): Promise<Page>;
  /** The place of the last event at or before a place, past the server's own records; 0: there is none. */
  eventUpTo(place: number): Promise<number>;
  search(question: {
    readonly direction: 'forwards' | 'backwards';
    readonly from: number | null;
    readonly where: LogSearch;
    readonly limit: number;
  }): Promise<Page>;
  stream(name: string, options: Parameters<EventStore['readStream']>[1]): Promise<readonly RecordedEvent[]>;
  /** Records behind a place, in order; at most `limit`. */
  recordsBehind(place: number, limit: number): Promise<readonly StoredRecord[]>;
  /** Records from a place itself down to the log's start, newest first; at most `limit`. */
  recordsDownFrom(place: number | 'end', limit: number): Promise<readonly StoredRecord[]>;
  /** The record at a place, or where that was scavenged the next one; null where no record begins. */
  recordFrom(place: number): Promise<StoredRecord | null>;
}

export function openReads(connection: Connection, logId: string): Reads {
  async function recordsBehind(place: number, limit: number): Promise<readonly StoredRecord[]> {
    if (place <= 0) return connection.readAll({ from: 'start', direction: 'forwards', limit });
    // The server begins with the record at the place itself; where that was scavenged, with the one behind it.
    const records = await connection.readAll({ from: place, direction: 'forwards', limit: limit + 1 });
    return records[0]?.place === place ? records.slice(1) : records.slice(0, limit);
  }

  async function recordsDownFrom(place: number | 'end', limit: number): Promise<readonly StoredRecord[]> {
    if (place === 'end') return connection.readAll({ from: 'end', direction: 'backwards', limit });
    if (place <= 0) return [];
    // Backwards the server leaves out the record at the place itself.
    const [at, rest] = await Promise.all([
      connection.readAll({ from: place, direction: 'forwards', limit: 1 }),
      connection.readAll({ from: place, direction: 'backwards', limit }),
    ]);
    return [...at.filter((record) => record.place === place), ...rest].slice(0, limit);
  }

  async function page(
    from: number | 'end',
    backwards: boolean,
    matches: (record: StoredRecord) => RecordedEvent | null,
    limit: number,
    atOnce: number,
    atMost: number,
  ): Promise<Page> {
    const events: RecordedEvent[] = [];
    let at = from;
    for (let seen = 0; seen < atMost;) {
      // Backwards the next page begins with a record: one more is read, and not looked at.
      const asked = backwards ? atOnce + 1 : atOnce;
      const records = backwards
        ? await recordsDownFrom(at, asked)
        : await recordsBehind(at === 'end' ? 0 : at, asked);
      const over = records.length < asked;
      for (const [index, record] of records.slice(0, atOnce).entries()) {
        const event = matches(record);
        if (event) events.push(event);
        const next = backwards ? (records[index + 1]?.place ?? 0) : record.place;
        at = next;
        if (events.length === limit) return { events, next, end: over && index === records.length - 1 };
      }
      if (over) return { events, next: backwards ? 0 : at === 'end' ? 0 : at, end: true };
      seen += records.length;
      await setImmediate();
    }
    return { events, next: at === 'end' ? 0 : at, end: false };
  }

  return {
    recordsBehind,
    recordsDownFrom,

    async recordFrom(place) {
      const [record] = await connection.readAll({ from: place, direction: 'forwards', limit: 1 });
      return record ?? null;
    },

    async head() {
      const [last] = await connection.readAll({ from: 'end', direction: 'backwards', limit: 1 });
      return last?.place ?? 0;
    },

    async eventUpTo(place) {
      for (let at = place, limit = 1; ; limit = scannedAtOnce) {
        const records = await recordsDownFrom(at, limit);
        const event = records.find((record) => recordedEvent(logId, record) !== null);
        if (event || records.length < limit) return event?.place ?? 0;
        // The last one is read once more: backwards pages begin with a record, not between two.
        at = records.at(-1)?.place ?? 0;
      }
    },

    all(after, filter, limit) {
      const passes = matcher(filter);
      const atOnce = filter ? Math.max(scannedAtOnce, limit) : limit;
      return page(
        after,
        false,
        (record) => (passes(record.stream, record.type) ? recordedEvent(logId, record) : null),
        limit,
        atOnce,
        filter ? scannedAPage : limit,
      );
    },

    search({ direction, from, where, limit }) {
      const matches = (record: StoredRecord): RecordedEvent | null => {
        const event = recordedEvent(logId, record);
        return event && fits(where, event) ? event : null;
      };
      const backwards = direction === 'backwards';
      return page(from ?? (backwards ? 'end' : 0), backwards, matches, limit, scannedAtOnce, scannedAPage);
    },

    async stream(name, { from, direction = 'forwards', limit }) {
      const start = direction === 'forwards' ? 'start' : 'end';
      const records = await connection.readStream(name, { from: from ?? start, direction, limit });
      const events = (records ?? []).map((record) => recordedEvent(logId, record));
      return events.filter((event) => event !== null);
    },
  };
}
