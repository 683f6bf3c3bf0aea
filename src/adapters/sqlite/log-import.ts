/** A log made of events that another log had, in their order, at their places and revisions. */
import type { RecordedEvent } from '../../ports/event-store.ts';
import { openRevisionCache } from './event-store-revisions.ts';
import { insertEvent, openForWriting, prepareLog } from './event-store-schema.ts';
import type { KeptStream } from './log-reader.ts';

export type ImportedEvent = Omit<RecordedEvent, 'position'> & { readonly place: number };

export interface LogImport {
  /** What an import that ended early had got to when this one began; null: nothing. */
  readonly last: { readonly place: number; readonly id: string } | null;
  /** How many events there were then. */
  readonly count: number;
  /** @throws {RangeError} when it does not follow what came before: in the log, or in its stream */
  add(event: ImportedEvent): void;
  /** Whether the stream has events. */
  has(stream: string): boolean;
  retain(kept: KeptStream): void;
  /** What was done is durable, and seen by others, when it returns. */
  flush(): void;
  /** Durable when it returns. */
  close(): void;
}

/** Small enough that memory stays flat. */
const eventsATransaction = 5_000;

/** @param path does not exist, or is of an import that ended early: then this one goes on behind it */
export function openLogImport(path: string): LogImport {
  prepareLog(path);
  const database = openForWriting(path);
  const insert = database.prepare(insertEvent);
  const upsertRetention = database.prepare(
    'INSERT OR REPLACE INTO streams (stream, retention, last) VALUES (?, ?, ?)',
  );
  const selectLast = database.prepare('SELECT max(revision) AS last FROM events WHERE stream = ?');
  const revisions = openRevisionCache((stream) => Number(selectLast.get(stream)?.['last'] ?? -1));
  const before = database.prepare('SELECT position, id FROM events ORDER BY position DESC LIMIT 1').get();
  const count = Number(database.prepare('SELECT count(*) AS count FROM events').get()?.['count']);
  let last = Number(before?.['position'] ?? 0);
  let pending = 0;
  database.exec('BEGIN');
  function flush(): void {
    database.exec('COMMIT; BEGIN');
    pending = 0;
  }

  return {
    last: before ? { place: last, id: String(before['id']) } : null,
    count,
    has: (stream) => revisions.get(stream) >= 0,
    add({ place, stream, revision, id, type, data, metadata }) {
      if (place <= last) throw new RangeError(`its place ${place} does not come behind ${last}`);
      const before = revisions.get(stream);
      // What retention had removed is missing at a stream's beginning, never within.
      if (before >= 0 && revision !== before + 1)
        throw new RangeError(`its revision ${revision} does not follow ${before} of ${stream}`);
      const created = Date.parse(metadata.at);
      insert.run(place, stream, revision, id, type, JSON.stringify(data), JSON.stringify(metadata), created);
      last = place;
      revisions.set(stream, revision);
      pending += 1;
      if (pending >= eventsATransaction) flush();
    },
    flush,
    retain({ stream, retention, last: removed }) {
      upsertRetention.run(stream, JSON.stringify(retention), removed ?? null);
    },
    close() {
      if (!database.isOpen) return;
      if (database.isTransaction) database.exec('COMMIT');
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      database.close();
    },
  };
}
