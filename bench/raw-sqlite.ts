/** The reference of the log's benchmark: the same rows into the same table with the same indexes, by `node:sqlite` alone. */
import { insertEvent, openForWriting, prepareLog } from '../src/adapters/sqlite/event-store-schema.ts';
import type { NewEvent } from '../src/ports/event-store.ts';

export interface Sample {
  readonly stream: string;
  readonly revision: number;
  readonly event: NewEvent;
}

export interface RawLog {
  /** One durable transaction. */
  insert(samples: readonly Sample[]): void;
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
    insert(samples) {
      begin.run();
      const created = Date.now();
      for (const { stream, revision, event } of samples) {
        position += 1;
        const [data, metadata] = [JSON.stringify(event.data), JSON.stringify(event.metadata)];
        insert.run(position, stream, revision, event.id, event.type, data, metadata, created);
      }
      commit.run();
    },
    close: () => database.close(),
  };
}
