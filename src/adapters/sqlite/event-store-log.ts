/** Changes to the log's file, each in one transaction. Used by the writer thread alone. */
import type { Retention } from '../../ports/event-store.ts';
import { outcome, type PackedAppends, type WriterOptions } from './event-store-messages.ts';
import { openRetention } from './event-store-retention.ts';
import { openRevisionCache } from './event-store-revisions.ts';
import { insertEvent, openForWriting, readHead } from './event-store-schema.ts';

export interface Log {
  head(): number;
  /** @returns three numbers an append, see {@link outcome} */
  append(packed: PackedAppends, created: number): number[];
  retain(stream: string, retention: Retention): void;
  /** A bounded piece of work, so that appends go on between two. @param after the stream to go on behind, '' at first */
  scavenge(after: string, now: number): { readonly removed: number; readonly after: string | null };
  close(): void;
}

const scavengedAtOnce = 500;
const streamsAtOnce = 200;

export function openLog({ path, maxPages }: WriterOptions): Log {
  const database = openForWriting(path, maxPages);
  const begin = database.prepare('BEGIN IMMEDIATE');
  const commit = database.prepare('COMMIT');
  const insert = database.prepare(insertEvent);
  const selectAt = database.prepare('SELECT position, id FROM events WHERE stream = ? AND revision = ?');
  const upsertRetention = database.prepare(
    'INSERT INTO streams (stream, retention) VALUES (?, ?) ON CONFLICT DO UPDATE SET retention = excluded.retention',
  );
  const selectRetained = database.prepare(
    `SELECT stream FROM streams WHERE stream > ? AND retention <> '{}' ORDER BY stream LIMIT ${streamsAtOnce}`,
  );
  const deleteBelow = database.prepare(
    `DELETE FROM events WHERE position IN
       (SELECT position FROM events WHERE stream = ? AND revision < ? ORDER BY revision LIMIT ?)`,
  );
  const rememberLast = database.prepare('UPDATE streams SET last = ? WHERE stream = ?');
  const rememberFloor = database.prepare("UPDATE meta SET value = ? WHERE key = 'floor'");
  const retention = openRetention(database);
  const revisions = openRevisionCache((stream) => retention.last(stream));
  let head = readHead(database);

  function transaction<T>(work: () => T): T {
    begin.run();
    try {
      const result = work();
      commit.run();
      return result;
    } catch (error) {
      // A full disk may have rolled back already, and a failed COMMIT may even have been one: the file alone knows.
      if (database.isTransaction) database.exec('ROLLBACK');
      revisions.clear();
      head = readHead(database);
      throw error;
    }
  }

  /** Where the last of the events is, if these very events stand behind `expected`; else 0. */
  function repeatedAt(
    stream: string,
    expected: number,
    texts: readonly string[],
    at: number,
    count: number,
  ): number {
    let place = 0;
    for (let i = 0; i < count; i += 1) {
      const there = selectAt.get(stream, expected + 1 + i);
      if (there?.['id'] !== texts[at + i * 4]) return 0;
      place = Number(there?.['position']);
    }
    return place;
  }

  function appendAll({ counts, texts }: PackedAppends, created: number): number[] {
    const results: number[] = [];
    let at = 0;
    for (let n = 0; n < counts.length; n += 2) {
      const [expected = -1, count = 0] = [counts[n], counts[n + 1]];
      const stream = texts[at] ?? '';
      at += 1;
      const actual = revisions.get(stream);
      if (actual === expected) {
        const end = at + count * 4;
        for (let event = at, revision = expected + 1; event < end; event += 4, revision += 1) {
          const [id = '', type = '', data = '', metadata = ''] = [
            texts[event],
            texts[event + 1],
            texts[event + 2],
            texts[event + 3],
          ];
          head += 1;
          insert.run(head, stream, revision, id, type, data, metadata, created);
        }
        revisions.set(stream, expected + count);
        results.push(outcome.appended, expected + count, head);
      } else {
        const place = repeatedAt(stream, expected, texts, at, count);
        if (place > 0) results.push(outcome.repeated, expected + count, place);
        else results.push(outcome.conflict, actual, 0);
      }
      at += count * 4;
    }
    return results;
  }

  function scavengeSome(after: string, now: number): { removed: number; after: string | null } {
    let removed = 0;
    let done = after;
    const streams = selectRetained.all(after);
    for (const { stream } of streams) {
      if (typeof stream !== 'string') continue;
      const last = retention.last(stream);
      const { changes } = deleteBelow.run(
        stream,
        retention.firstKept(stream, now),
        scavengedAtOnce - removed,
      );
      if (Number(changes) > 0) rememberLast.run(last, stream);
      removed += Number(changes);
      if (removed === scavengedAtOnce) break;
      done = stream;
    }
    if (removed > 0) rememberFloor.run(head);
    return { removed, after: removed < scavengedAtOnce && streams.length < streamsAtOnce ? null : done };
  }

  return {
    head: () => head,
    append: (packed, created) => transaction(() => appendAll(packed, created)),
    retain: (stream, kept) => transaction(() => void upsertRetention.run(stream, JSON.stringify(kept))),
    scavenge: (after, now) => transaction(() => scavengeSome(after, now)),
    close: () => database.close(),
  };
}
