/** Places in the log as people name them: a position that an answer told, or a time. */
import { type EventStore, ForeignPosition, type Position } from '../ports/event-store.ts';

/** What the caller wrote means no place in this log. Faces answer 400. */
export class NoSuchPlace extends Error {
  override readonly name = 'NoSuchPlace';
}

/** What is asked for was so before anything was, or cannot be told any more. Faces answer 409. */
export class Untold extends Error {
  override readonly name = 'Untold';
}

/** `from` is not behind `to`; null: before there was anything. */
export interface Places {
  readonly from: Position | null;
  readonly to: Position;
}

/** @throws {NoSuchPlace} when it is of another log, or behind the end of this one */
export function knownPosition(store: Pick<EventStore, 'compare'>, text: string, head: Position): Position {
  const place = text as Position;
  try {
    if (store.compare(place, head) <= 0) return place;
  } catch (error) {
    if (!(error instanceof ForeignPosition)) throw error;
    throw new NoSuchPlace('is none of this log: take one that an answer told');
  }
  throw new NoSuchPlace(`lies behind the log's end, ${head}`);
}

const written = /^\d{4}-\d{2}-\d{2}T/;

/**
 * Where the log stood.
 * @param text a position, or a time as ISO 8601 with a zone
 * @param now wall milliseconds
 * @throws {NoSuchPlace} also for times that are to come, or before the log's first event
 */
export async function placeOf(store: EventStore, text: string, now: number): Promise<Position> {
  const head = await store.head();
  if (!written.test(text)) return knownPosition(store, text, head);
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new NoSuchPlace('is no time: write it like 2025-11-23T03:10:00Z');
  if (at > now) throw new NoSuchPlace('is yet to come');
  const { events } = await store.readAll({ after: null, limit: 1 });
  const first = events[0]?.metadata.at;
  if (first === undefined || at < Date.parse(first))
    throw new NoSuchPlace(`is before the log began${first === undefined ? '' : `, at ${first}`}`);
  return store.positionAt(at);
}
