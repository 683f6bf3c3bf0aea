/** What every adapter of read models makes of a query: its bounds, its order, and cursors that go on after the last document seen. */
import { createHash } from 'node:crypto';
import {
  BadCursor,
  UnanswerableQuery,
  type Document,
  type Filter,
  type Query,
} from '../../ports/read-models.ts';
import { valueAt } from './path.ts';

/** The parts of a filter that all must hold. */
export function conjuncts(filter: Filter): readonly Filter[] {
  return 'and' in filter ? filter.and.flatMap(conjuncts) : [filter];
}

/** @throws {UnanswerableQuery} */
export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw new UnanswerableQuery(`a limit is 1..1,000, not ${limit}`);
  }
}

/** @throws {UnanswerableQuery} */
export function checkOffset(offset: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0) throw new UnanswerableQuery(`not an offset: ${offset}`);
}

export type KeyValue = string | number | boolean | null;

/** A place in a sorted list: the sort keys' values of a document, then its id. */
export type Place = readonly KeyValue[];

/**
 * Where a page begins. @returns an offset, or the place after which it goes on
 * @throws {UnanswerableQuery} {BadCursor}
 */
export function beginningOf(query: Query): { readonly offset: number } | { readonly after: Place } {
  checkLimit(query.limit);
  if (query.cursor === undefined) {
    checkOffset(query.offset ?? 0);
    return { offset: query.offset ?? 0 };
  }
  if (query.offset !== undefined) throw new UnanswerableQuery('either an offset or a cursor');
  return { after: decodeCursor(query.cursor, query) };
}

/** Documents that an index has side by side: as the place in the keys before `at`, and in that one `beyond`, null or not. */
export interface RangeAfter {
  readonly at: number;
  readonly beyond: 'greater' | 'less' | 'null' | 'notNull';
}

/** What sorts after a place, in order: as the place but beyond in the last key, then in the one before it, and so on. */
export function rangesAfter(orders: readonly ('asc' | 'desc')[], place: Place): readonly RangeAfter[] {
  return orders
    .map((order, at): readonly RangeAfter[] => {
      const isNull = (place[at] ?? null) === null;
      if (order === 'asc') return [{ at, beyond: isNull ? 'notNull' : 'greater' }];
      if (isNull) return [];
      return [
        { at, beyond: 'less' },
        { at, beyond: 'null' },
      ];
    })
    .toReversed()
    .flat();
}

/** Base64url of a JSON array: a mark of the filter and sort it belongs to, then the place of the last document. */
export function encodeCursor(query: Query, last: Document<object>): string {
  const keys = (query.sort ?? []).map(({ path }) => keyValue(valueAt(last.data, path)));
  return Buffer.from(JSON.stringify([mark(query), ...keys, last.id])).toString('base64url');
}

function decodeCursor(cursor: string, query: Query): Place {
  const parts = parseCursor(cursor);
  if (parts[0] !== mark(query)) throw new BadCursor('this cursor belongs to another filter or sort');
  const place = parts.slice(1);
  if (place.length !== (query.sort ?? []).length + 1 || !place.every(isKeyValue))
    throw new BadCursor('this is no cursor');
  return place;
}

function parseCursor(cursor: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parts)) return parts;
  } catch {
    // Answered below like every other text that is no cursor.
  }
  throw new BadCursor('this is no cursor');
}

function mark({ filter, sort }: Query): string {
  return createHash('sha256')
    .update(JSON.stringify([filter ?? null, sort ?? []]))
    .digest('base64url')
    .slice(0, 11);
}

/** Arrays and objects as their JSON: nothing is sorted by them. */
function keyValue(value: unknown): KeyValue {
  if (value === undefined || value === null) return null;
  return isKeyValue(value) ? value : JSON.stringify(value);
}

function isKeyValue(value: unknown): value is KeyValue {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
