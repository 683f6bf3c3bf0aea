/** What the server keeps of an event, and the event that it is. Pure. */
import {
  DamagedEvent,
  type EventMetadata,
  type JsonObject,
  type NewEvent,
  type RecordedEvent,
} from '../../ports/event-store.ts';
import { position } from '../event-log/rules.ts';

/** A record as the client hands it over: revisions, places and times are numbers. */
export interface StoredRecord {
  readonly stream: string;
  readonly revision: number;
  /** Where it lies in the transaction log: its commit position, in bytes. */
  readonly place: number;
  readonly id: string;
  readonly type: string;
  /** When the server stored it, wall milliseconds. */
  readonly created: number;
  /** Parsed; a text or bytes when it is no JSON. */
  readonly data: unknown;
  readonly metadata: unknown;
}

export interface EncodedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Buffer;
  readonly metadata: Buffer;
}

/** The stream that holds the log's identity: the adapter's own, shown to nobody. */
export const identityStream = 'slipway-log';

/**
 * Names that the server's own tools follow causes by (EventStoreDB, *Event metadata*), in the place of ours: the order of members is
 * kept, for seals are over it.
 */
const conventional = new Map([
  ['correlationId', '$correlationId'],
  ['causationId', '$causationId'],
]);
const ours = new Map([...conventional].map(([name, convention]) => [convention, name]));

/** Now, so that the caller may change the event afterwards. */
export function encoded({ id, type, data, metadata }: NewEvent): EncodedEvent {
  return {
    id,
    type,
    data: Buffer.from(JSON.stringify(data)),
    metadata: Buffer.from(JSON.stringify(renamed(metadata, conventional))),
  };
}

/**
 * @returns null for what is no event of this log: records of the server itself, whose names begin with `$`, and those of other
 * programs in the same database, which carry no metadata of ours
 * @throws {DamagedEvent} when the data is not the JSON object that was written
 */
export function recordedEvent(logId: string, record: StoredRecord): RecordedEvent | null {
  const { stream, revision, place, id, type, data } = record;
  if (isForeign(stream, type)) return null;
  const metadata = metadataOf(record.metadata);
  if (metadata === null) return null;
  const at = position(logId, place);
  if (!isRecord(data)) throw new DamagedEvent(at, 'its data is no JSON object');
  return { id, type, data: data as JsonObject, metadata, stream, revision, position: at };
}

export function isForeign(stream: string, type: string): boolean {
  return stream.startsWith('$') || type.startsWith('$') || stream === identityStream;
}

function metadataOf(stored: unknown): EventMetadata | null {
  if (!isRecord(stored)) return null;
  const metadata = renamed(stored, ours);
  const { actor, correlationId, causationId, at, schema } = metadata;
  return isRecord(actor) && isText(correlationId) && isText(causationId) && isText(at) && isNumber(schema)
    ? (metadata as unknown as EventMetadata)
    : null;
}

function renamed(from: object, names: ReadonlyMap<string, string>): Record<string, unknown> {
  const to: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(from)) to[names.get(name) ?? name] = value;
  return to;
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number';

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
}
