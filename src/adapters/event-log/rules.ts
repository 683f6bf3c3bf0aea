/** What every store of events checks before it works, and how a filter is read. */
import {
  ForeignPosition,
  type EventFilter,
  type ExpectedRevision,
  type NewEvent,
  type Position,
  type Retention,
} from '../../ports/event-store.ts';

export const mostEventsAnAppend = 1000;
export const largestPage = 10_000;

/** @throws {RangeError} */
export function checkAppend(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): void {
  if (stream === '') throw new RangeError('a stream needs a name');
  if (expected !== 'none' && !(Number.isSafeInteger(expected) && expected >= 0))
    throw new RangeError(`the expected revision is a whole number from 0 or 'none', not ${String(expected)}`);
  if (events.length < 1 || events.length > mostEventsAnAppend)
    throw new RangeError(`an append has 1 to ${mostEventsAnAppend} events, not ${events.length}`);
}

/** @throws {RangeError} */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > largestPage)
    throw new RangeError(`a page has 1 to ${largestPage} events, not ${limit}`);
}

/** @throws {RangeError} */
export function checkRetention(retention: Retention): void {
  const least = { maxAgeSeconds: 1, maxCount: 1, truncateBefore: 0 } as const;
  for (const name of ['maxAgeSeconds', 'maxCount', 'truncateBefore'] as const) {
    const value = retention[name];
    if (value !== undefined && !(Number.isSafeInteger(value) && value >= least[name]))
      throw new RangeError(`${name} is a whole number from ${least[name]}, not ${value}`);
  }
}

export function position(logId: string, place: number): Position {
  return `${logId}:${place}` as Position;
}

/** The place in the log that a position names; null is the log's start, 0. @throws {ForeignPosition} */
export function placeOf(logId: string, at: Position | null): number {
  if (at === null) return 0;
  const colon = at.lastIndexOf(':');
  const place = Number(at.slice(colon + 1));
  if (at.slice(0, colon) !== logId || !Number.isSafeInteger(place) || place < 0)
    throw new ForeignPosition(`position ${at} is not of the log ${logId}`);
  return place;
}

/** Compiled once per call, asked once per event. */
export function matcher(filter: EventFilter | undefined): (stream: string, type: string) => boolean {
  const prefixes = filter?.streamPrefixes;
  const types = filter?.types && new Set(filter.types);
  return (stream, type) =>
    (types === undefined || types.has(type)) &&
    (prefixes === undefined || prefixes.some((prefix) => stream.startsWith(prefix)));
}
