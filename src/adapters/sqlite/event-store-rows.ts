/** Rows of the log, and the events that they are. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import {
  DamagedEvent,
  type EventMetadata,
  type JsonObject,
  type Position,
  type RecordedEvent,
} from '../../ports/event-store.ts';
import { position } from '../event-log/rules.ts';

export interface EventRow {
  readonly place: number;
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly type: string;
  /** JSON. */
  readonly data: string;
  /** JSON. */
  readonly metadata: string;
}

/** The columns of an {@link EventRow} in its order, and what was asked for besides. */
export type Columns = readonly unknown[];

/**
 * A kept question. Its rows are arrays: to make objects of them takes SQLite's binding longer than all the rest of reading.
 * @param rest what comes behind FROM: conditions, order, limit @param more columns besides
 */
export function selectEvents(
  database: DatabaseSync,
  rest: string,
  more = '',
): (...values: SQLInputValue[]) => readonly Columns[] {
  const columns = `position, stream, revision, id, type, data, metadata${more}`;
  const statement = database.prepare(`SELECT ${columns} FROM events ${rest}`);
  statement.setReturnArrays(true);
  return (...values) => {
    // Its type does not know of `setReturnArrays`.
    const rows: unknown = statement.all(...values);
    return rows as readonly Columns[];
  };
}

/** @throws {DamagedEvent} when a column has another type than it was written with */
export function eventRow(logId: string, row: Columns): EventRow {
  const [place, stream, revision, id, type, data, metadata] = row;
  if (
    typeof place !== 'number' ||
    typeof revision !== 'number' ||
    typeof stream !== 'string' ||
    typeof id !== 'string' ||
    typeof type !== 'string' ||
    typeof data !== 'string' ||
    typeof metadata !== 'string'
  )
    throw new DamagedEvent(position(logId, Number(place)), 'a column has the wrong type');
  return { place, stream, revision, id, type, data, metadata };
}

/** @throws {DamagedEvent} when data or metadata is not the JSON object that was written */
export function recordedEvent(logId: string, row: EventRow): RecordedEvent {
  const at = position(logId, row.place);
  return {
    id: row.id,
    type: row.type,
    data: parsed(at, 'data', row.data) as JsonObject,
    metadata: parsed(at, 'metadata', row.metadata) as EventMetadata,
    stream: row.stream,
    revision: row.revision,
    position: at,
  };
}

function parsed(at: Position, column: string, json: string): object {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new DamagedEvent(at, `its ${column} is no JSON`);
  }
  if (typeof value !== 'object' || value === null)
    throw new DamagedEvent(at, `its ${column} is no JSON object`);
  return value;
}
