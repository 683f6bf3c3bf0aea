/** Reading the log, in chunks short enough for the main thread: between two of them others have their turn. */
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { EventFilter, EventStore, RecordedEvent, Retention } from '../../ports/event-store.ts';
import { openRetention } from './event-store-retention.ts';
import { eventRow, recordedEvent, selectEvents } from './event-store-rows.ts';
import type { Page } from '../event-log/following.ts';

/** Events decoded, or places looked at, in one statement. */
const chunk = 500;
const scannedAtOnce = 5000;
/** Places looked at in one page: a filter that matches nothing gets on, and says how far. */
const scannedAPage = 100_000;

export interface Reads {
  stream(
    name: string,
    options: Parameters<EventStore['readStream']>[1],
    now: number,
  ): Promise<readonly RecordedEvent[]>;
  /** One page of what is behind `after` and not behind `head`. */
  all(after: number, filter: EventFilter | undefined, limit: number, head: number): Promise<Page>;
  retention(stream: string): Retention;
}

export function openReads(database: DatabaseSync, logId: string): Reads {
  const retention = openRetention(database);
  const forwards = selectEvents(database, 'WHERE stream = ? AND revision >= ? ORDER BY revision LIMIT ?');
  const backwards = selectEvents(
    database,
    'WHERE stream = ? AND revision BETWEEN ? AND ? ORDER BY revision DESC LIMIT ?',
  );
  const firstBehind = database.prepare('SELECT min(position) AS place FROM events WHERE position > ?');
  const scans = new Map<string, ReturnType<typeof prepareScan>>();

  function prepareScan(filter: EventFilter | undefined): {
    readonly parameters: readonly string[];
    readonly select: ReturnType<typeof selectEvents>;
  } {
    const { streamPrefixes, types } = filter ?? {};
    const conditions = ['position > ?', 'position <= ?'];
    // substr instead of LIKE: a prefix is taken literally, with its case.
    if (streamPrefixes) conditions.push(anyOf(streamPrefixes.map(() => 'substr(stream, 1, length(?)) = ?')));
    if (types) conditions.push(anyOf(types.map(() => 'type = ?')));
    return {
      parameters: [...(streamPrefixes ?? []).flatMap((prefix) => [prefix, prefix]), ...(types ?? [])],
      select: selectEvents(database, `WHERE ${conditions.join(' AND ')} ORDER BY position LIMIT ?`),
    };
  }

  /** Callers have few filters and many pages. */
  function scan(filter: EventFilter | undefined): ReturnType<typeof prepareScan> {
    const key = JSON.stringify(filter ?? null);
    let found = scans.get(key);
    if (!found) {
      if (scans.size >= 100) scans.clear();
      scans.set(key, (found = prepareScan(filter)));
    }
    return found;
  }

  return {
    retention: (name) => retention.of(name),

    async stream(name, { from, direction = 'forwards', limit }, now) {
      // What a new stream, or the end of one, keeps need not be asked: most reads of commands find nothing.
      if (direction === 'forwards' && forwards(name, from ?? 0, 1).length === 0) return [];
      const first = retention.firstKept(name, now);
      const events: RecordedEvent[] = [];
      let at = direction === 'forwards' ? Math.max(first, from ?? 0) : (from ?? Number.MAX_SAFE_INTEGER);
      while (events.length < limit) {
        const wanted = Math.min(chunk, limit - events.length);
        const rows =
          direction === 'forwards' ? forwards(name, at, wanted) : backwards(name, first, at, wanted);
        for (const row of rows) events.push(recordedEvent(logId, eventRow(logId, row)));
        if (rows.length < wanted || events.length === limit) break;
        at = (events.at(-1)?.revision ?? 0) + (direction === 'forwards' ? 1 : -1);
        await setImmediate();
      }
      return events;
    },

    async all(after, filter, limit, head) {
      const { select, parameters } = scan(filter);
      const events: RecordedEvent[] = [];
      let at = after;
      for (const last = Math.min(head, after + scannedAPage); at < last;) {
        const end = Math.min(last, at + scannedAtOnce);
        const wanted = Math.min(chunk, limit - events.length);
        const rows = select(at, end, ...parameters, wanted);
        let place = at;
        for (const row of rows) {
          const found = eventRow(logId, row);
          place = found.place;
          events.push(recordedEvent(logId, found));
        }
        if (rows.length === wanted) at = place;
        else if (rows.length > 0) at = end;
        // What was scavenged may be a desert: step to its end instead of walking through.
        else at = Math.max(end, Math.min(head, Number(firstBehind.get(end)?.['place'] ?? head + 1) - 1));
        if (events.length === limit) break;
        if (at < last) await setImmediate();
      }
      return { events, next: at, end: at >= head };
    },
  };
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 0 ? '0' : `(${conditions.join(' OR ')})`;
}
