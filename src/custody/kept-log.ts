/** The log of a platform, for reading alone, wherever it is kept. */
import { join } from 'node:path';
import { exists } from '../adapters/filesystem/durable-copies.ts';
import { damageOf } from '../adapters/sqlite/copies.ts';
import { type KeptStream, openLogReader } from '../adapters/sqlite/log-reader.ts';
import { openSqliteSealLeaves } from '../adapters/sqlite/seal-leaves.ts';
import { Refused } from '../client/api.ts';
import type { EventStore } from '../ports/event-store.ts';
import { storeSource } from './migrate/store-ends.ts';

export interface KeptLog extends Pick<EventStore, 'logId' | 'readAll' | 'head' | 'compare'> {
  /** What each stream keeps that does not keep everything. */
  retentions(): AsyncIterable<KeptStream> | Iterable<KeptStream>;
  /** What is damaged though it can be read in order; null: nothing is known to be. */
  damage(): string | null;
  close(): Promise<void>;
}

/** @param remote the log, where it is not in the folder @throws {Refused} {@link UnreadableLog} */
export async function openKeptLog(folder: string, remote: EventStore | null): Promise<KeptLog> {
  if (remote) {
    const { logId } = remote;
    return {
      logId,
      readAll: (question) => remote.readAll(question),
      head: () => remote.head(),
      compare: (a, b) => remote.compare(a, b),
      async *retentions() {
        const leaves = openSqliteSealLeaves({ path: join(folder, 'seals.db'), logId, readOnly: true });
        try {
          yield* storeSource(remote, leaves).retentions();
        } finally {
          leaves.close();
        }
      },
      // Its server looks after its own files.
      damage: () => null,
      close: () => remote.close(),
    };
  }
  if (!(await exists(join(folder, 'log.db'))))
    throw new Refused(`There is no log in ${folder}: --data names the data folder of a platform.`);
  return keptIn(folder);
}

/** @throws {UnreadableLog} */
export function keptIn(folder: string): KeptLog {
  const path = join(folder, 'log.db');
  const reader = openLogReader(path);
  return { ...reader, damage: () => damageOf(path), close: async () => reader.close() };
}
