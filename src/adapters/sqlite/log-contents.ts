/** The log's rows as they were written, their JSON as a text: for who hashes all of them. */
import { DamagedEvent, type Position } from '../../ports/event-store.ts';
import { eventRow, selectEvents } from './event-store-rows.ts';
import { placeOf, position } from '../event-log/rules.ts';
import { openForReading } from './event-store-schema.ts';

export interface EventContent {
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
  /** `metadata.at`. */
  readonly at: string;
  /** JSON without white space: the array of id, type, data and metadata. */
  readonly content: string;
}

export interface LogContents {
  /** What is behind a position; fewer than `limit`: it is all there was. @throws {DamagedEvent} */
  page(after: Position | null, limit: number): readonly EventContent[];
  close(): void;
}

/** @param logId of the log in that file */
export function openLogContents(path: string, logId: string): LogContents {
  const database = openForReading(path);
  const select = selectEvents(
    database,
    'WHERE position > ? ORDER BY position LIMIT ?',
    ", metadata ->> 'at'",
  );
  return {
    page: (after, limit) =>
      select(placeOf(logId, after), limit).map((row) => {
        const { place, stream, revision, id, type, data, metadata } = eventRow(logId, row);
        const at = row[7];
        if (typeof at !== 'string') throw new DamagedEvent(position(logId, place), 'it has no time');
        // Columns hold what JSON.stringify wrote, so that this is what it would write of the event.
        const content = `[${JSON.stringify(id)},${JSON.stringify(type)},${data},${metadata}]`;
        return { position: position(logId, place), stream, revision, at, content };
      }),
    close: () => database.close(),
  };
}
