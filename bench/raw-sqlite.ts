/** The reference of the log's benchmark: the same rows into the same table with the same indexes, by `node:sqlite` alone. */
import { insertEvent, openForWriting, prepareLog } from '../src/adapters/sqlite/event-store-schema.ts';

export interface RawRow {
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  /** JSON, as `metadata` is. */
  readonly data: string;
  readonly metadata: string;
}

export interface RawLog {
  /** One durable transaction. */
  insert(rows: readonly RawRow[]): void;
  close(): void;
}

export function openRawLog(path: string): RawLog {
  prepareLog(path);
  const database = openForWriting(path);
  const insert = database.prepare(insertEvent);
  const begin = database.prepare('BEGIN IMMEDIATE');
  const commit = database.prepare('COMMIT');
  let position = 0;
  return {
    insert(rows) {
      begin.run();
      const created = Date.now();
      for (const { stream, revision, id, type, data, metadata } of rows) {
        position += 1;
        insert.run(position, stream, revision, id, type, data, metadata, created);
      }
      commit.run();
    },
    close: () => database.close(),
  };
}
