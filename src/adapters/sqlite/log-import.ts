/** A log made of events that another log had, in their order, at their places and revisions. */
import type { RecordedEvent, Retention } from '../../ports/event-store.ts';
import { insertEvent, openForWriting, prepareLog } from './event-store-schema.ts';

export type ImportedEvent = Omit<RecordedEvent, 'position'> & { readonly place: number };

export interface LogImport {
  /** @throws {RangeError} when it does not follow what came before: in the log, or in its stream */
  add(event: ImportedEvent): void;
  retain(stream: string, retention: Retention): void;
  /** Durable when it returns. */
  close(): void;
}

/** Small enough that memory stays flat. */
const eventsATransaction = 5_000;

/** @param path must not exist */
export function openLogImport(path: string): LogImport {
  prepareLog(path);
  const database = openForWriting(path);
  const insert = database.prepare(insertEvent);
  const upsertRetention = database.prepare(
    'INSERT OR REPLACE INTO streams (stream, retention, last) VALUES (?, ?, NULL)',
  );
  const lastOf = database.prepare('SELECT max(revision) AS last FROM events WHERE stream = ?');
  let last = 0;
  let pending = 0;
  database.exec('BEGIN');

  return {
    add({ place, stream, revision, id, type, data, metadata }) {
      if (place <= last) throw new RangeError(`its place ${place} does not come behind ${last}`);
      const before = lastOf.get(stream)?.['last'];
      // What retention had removed is missing at a stream's beginning, never within.
      if (typeof before === 'number' && revision !== before + 1)
        throw new RangeError(`its revision ${revision} does not follow ${before} of ${stream}`);
      const created = Date.parse(metadata.at);
      insert.run(place, stream, revision, id, type, JSON.stringify(data), JSON.stringify(metadata), created);
      last = place;
      pending += 1;
      if (pending < eventsATransaction) return;
      database.exec('COMMIT; BEGIN');
      pending = 0;
    },
    retain: (stream, retention) => void upsertRetention.run(stream, JSON.stringify(retention)),
    close() {
      if (!database.isOpen) return;
      if (database.isTransaction) database.exec('COMMIT');
      database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      database.close();
    },
  };
}
