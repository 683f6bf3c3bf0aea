/** Looking for events in the whole log, in chunks short enough for the main thread, a bounded number of places a page. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { LogSearch, RecordedEvent } from '../../ports/event-store.ts';
import { eventRow, recordedEvent, selectEvents } from './event-store-rows.ts';
import type { Page } from '../event-log/following.ts';

/** Places looked at in one statement, which takes a few milliseconds, and in one page. */
const scannedAtOnce = 4_000;
const scannedAPage = 100_000;
/** Events decoded in one statement. */
const chunk = 500;

export interface Search {
  /** As {@link EventStore.search}, in places. @param head the log's end */
  page(
    question: {
      readonly direction: 'forwards' | 'backwards';
      readonly from: number | null;
      readonly where: LogSearch;
      readonly limit: number;
    },
    head: number,
  ): Promise<Page>;
  placeAt(at: number, head: number): number;
}

export function openSearch(database: DatabaseSync, logId: string): Search {
  const statements = new Map<string, ReturnType<typeof selectEvents>>();
  const firstBehind = database.prepare('SELECT min(position) AS place FROM events WHERE position > ?');
  const lastBefore = database.prepare('SELECT max(position) AS place FROM events WHERE position < ?');
  const behind = database.prepare(
    'SELECT position, created FROM events WHERE position >= ? ORDER BY position LIMIT 1',
  );

  function statementOf(
    conditions: readonly string[],
    order: 'ASC' | 'DESC',
  ): ReturnType<typeof selectEvents> {
    const all = ['position > ?', 'position <= ?', ...conditions].join(' AND ');
    const sql = `WHERE ${all} ORDER BY position ${order} LIMIT ?`;
    let found = statements.get(sql);
    if (!found) {
      if (statements.size >= 100) statements.clear();
      statements.set(sql, (found = selectEvents(database, sql)));
    }
    return found;
  }

  return {
    async page({ direction, from, where, limit }, head) {
      const { conditions, values } = conditionsOf(where);
      const backwards = direction === 'backwards';
      const select = statementOf(conditions, backwards ? 'DESC' : 'ASC');
      const events: RecordedEvent[] = [];
      // Backwards, everything up to `at` is yet to be looked at; forwards, everything behind it.
      let at = backwards ? Math.min(head, from ?? head) : (from ?? 0);
      const stop = backwards ? Math.max(0, at - scannedAPage) : Math.min(head, at + scannedAPage);
      while (backwards ? at > stop : at < stop) {
        const edge = backwards ? Math.max(stop, at - scannedAtOnce) : Math.min(stop, at + scannedAtOnce);
        const wanted = Math.min(chunk, limit - events.length);
        const rows = select(Math.min(at, edge), Math.max(at, edge), ...values, wanted);
        let place = at;
        for (const row of rows) {
          const found = eventRow(logId, row);
          ({ place } = found);
          events.push(recordedEvent(logId, found));
        }
        // What was scavenged may be a desert: step to its end instead of walking through.
        if (rows.length === wanted) at = backwards ? place - 1 : place;
        else if (rows.length > 0) at = edge;
        else if (backwards) at = Math.min(edge, Number(lastBefore.get(edge + 1)?.['place'] ?? 0));
        else at = Math.max(edge, Math.min(head, Number(firstBehind.get(edge)?.['place'] ?? head + 1) - 1));
        if (events.length === limit) break;
        if (backwards ? at > stop : at < stop) await setImmediate();
      }
      return { events, next: at, end: backwards ? at <= 0 : at >= head };
    },

    placeAt(at, head) {
      let [low, high] = [0, head];
      // All up to `low` was stored by then; nothing behind `high` was.
      while (low < high) {
        const middle = Math.floor((low + high) / 2) + 1;
        const row = behind.get(middle);
        const place = Number(row?.['position'] ?? head + 1);
        if (place <= high && Number(row?.['created']) <= at) low = place;
        else high = middle - 1;
      }
      return low;
    },
  };
}

function conditionsOf(where: LogSearch): {
  readonly conditions: readonly string[];
  readonly values: readonly SQLInputValue[];
} {
  const conditions: string[] = [];
  const values: SQLInputValue[] = [];
  const equal = (what: string, value: string | null | undefined): void => {
    if (value === undefined) return;
    conditions.push(`${what} IS ?`);
    values.push(value);
  };
  if (where.types) {
    conditions.push(where.types.length === 0 ? '0' : `type IN (${where.types.map(() => '?').join(', ')})`);
    values.push(...where.types);
  }
  if (where.notTypes && where.notTypes.length > 0) {
    conditions.push(`type NOT IN (${where.notTypes.map(() => '?').join(', ')})`);
    values.push(...where.notTypes);
  }
  equal('id', where.id);
  equal("metadata ->> '$.correlationId'", where.correlationId);
  equal("metadata ->> '$.causationId'", where.causationId);
  equal("metadata ->> '$.actor.id'", where.actor);
  equal("metadata ->> '$.tenant'", where.tenant);
  const { about, anyId } = where;
  if (anyId !== undefined) {
    const ids = ['id', "metadata ->> '$.correlationId'", "metadata ->> '$.causationId'"];
    conditions.push(`(${ids.map((name) => `${name} = ?`).join(' OR ')})`);
    values.push(...ids.map(() => anyId));
  }
  if (about !== undefined) {
    const ends = [`-${about}`, `.${about}`];
    conditions.push(
      `(instr(data, ?) > 0 OR ${ends.map(() => 'substr(stream, -length(?)) = ?').join(' OR ')})`,
    );
    // Stored as JSON.stringify wrote it.
    values.push(JSON.stringify(about), ...ends.flatMap((end) => [end, end]));
  }
  return { conditions, values };
}
