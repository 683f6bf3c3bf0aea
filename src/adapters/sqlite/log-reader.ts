/** The log's file, for reading alone: beside the server that writes it, or where none runs. */
import type { EventStore, Retention } from '../../ports/event-store.ts';
import { openReads } from './event-store-reads.ts';
import { checkLimit, placeOf, position } from '../event-log/rules.ts';
import { openForReading, readHead, readMeta, schemaVersion, UnreadableLog } from './event-store-schema.ts';

/** A stream that does not keep everything, or did not once. */
export interface KeptStream {
  readonly stream: string;
  readonly retention: Retention;
  /** Its last revision when retention removed something last: all that is known where everything is gone. */
  readonly last?: number;
}

export interface LogReader extends Pick<EventStore, 'logId' | 'readAll' | 'head' | 'compare'> {
  retentions(): readonly KeptStream[];
  close(): void;
}

/** @throws {UnreadableLog} when the file is no log of this version or an older one */
export function openLogReader(path: string): LogReader {
  const database = openForReading(path);
  try {
    const version = readMeta(database, 'schema_version');
    const logId = readMeta(database, 'log_id');
    if (typeof version !== 'number' || version > schemaVersion || typeof logId !== 'string')
      throw new UnreadableLog(`${path} was written by a newer Slipway, or has lost the identity of its log`);
    const reads = openReads(database, logId);
    return {
      logId,
      async readAll({ after, filter, limit }) {
        checkLimit(limit);
        const page = await reads.all(placeOf(logId, after), filter, limit, readHead(database));
        return { ...page, next: position(logId, page.next) };
      },
      head: async () => position(logId, readHead(database)),
      compare: (a, b) => placeOf(logId, a) - placeOf(logId, b),
      retentions: () =>
        database
          .prepare(
            "SELECT stream, retention, last FROM streams WHERE retention <> '{}' OR last IS NOT NULL ORDER BY stream",
          )
          .all()
          .map(({ stream, retention, last }) => ({
            stream: String(stream),
            retention: JSON.parse(String(retention)) as Retention,
            ...(typeof last === 'number' && { last }),
          })),
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    if (error instanceof UnreadableLog) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UnreadableLog(`${path} is no log or is damaged (${reason}): restore it from a backup`);
  }
}
