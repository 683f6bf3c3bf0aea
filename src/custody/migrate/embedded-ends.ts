/** The log in a file. */
import { openLogImport } from '../../adapters/sqlite/log-import.ts';
import { type LogReader, openLogReader } from '../../adapters/sqlite/log-reader.ts';
import { Refused } from '../../client/api.ts';
import type { LogSource, LogTarget } from './ends.ts';

export function embeddedSource(reader: LogReader): LogSource {
  return {
    logId: reader.logId,
    readAll: (question) => reader.readAll(question),
    head: () => reader.head(),
    compare: (a, b) => reader.compare(a, b),
    async *retentions() {
      yield* reader.retentions();
    },
  };
}

/** @param path does not exist, or is of a migration that ended early */
export function embeddedTarget(path: string): LogTarget & { close(): void } {
  const made = openLogImport(path);
  let place = made.last?.place ?? 0;
  const reader = openLogReader(path);
  return {
    logId: reader.logId,
    takesShortened: true,
    readAll: (question) => reader.readAll(question),
    async add({ position: _position, ...event }) {
      place += 1;
      try {
        made.add({ ...event, place });
      } catch (error) {
        if (error instanceof RangeError) throw new Refused(`The log cannot be moved: ${error.message}.`);
        throw error;
      }
    },
    async flush() {
      made.flush();
    },
    async retain(kept) {
      made.retain(kept);
    },
    close() {
      made.close();
      reader.close();
    },
  };
}
