/** Pages of documents: sorting, offsets, and cursors that go on after the last document seen. */
import { createHash } from 'node:crypto';
import type { SQLInputValue } from 'node:sqlite';
import { BadCursor, UnanswerableQuery, type Document, type Query } from '../../ports/read-models.ts';
import { all, conjuncts, sql, where, type IsCommon, type Sql } from './read-models-filter.ts';
import { extract, valueAt } from './read-models-path.ts';
import { documentsTable, type Table } from './read-models-schema.ts';
import { DOCUMENT_COLUMNS } from './read-models-statements.ts';

type Order = 'asc' | 'desc';
type KeyValue = string | number | null;

interface SortKey {
  readonly field: string;
  /** The filter lets one value through: nothing is to be sorted, and SQLite would sort it for not knowing that. */
  readonly isFixed: boolean;
  readonly order: Order;
}

/** A place in a sorted list: the sort keys' values of a document, then its id. */
type Place = readonly KeyValue[];

/**
 * The statements that answer a query, to be run in this order, each with the number of documents still missing as its last
 * value, until the page is full. After a cursor there are several, each one range of an index: one statement with an OR
 * would walk through everything before the cursor again.
 */
export function pageStatements(table: Table, query: Query, isCommon?: IsCommon): readonly Sql[] {
  checkLimit(query.limit);
  const keys = sortKeys(query);
  const from = `SELECT ${DOCUMENT_COLUMNS} FROM ${documentsTable(table.number)} AS docs WHERE`;
  const asked = where(table, query, isCommon);
  if (query.cursor === undefined) {
    const offset = query.offset ?? 0;
    if (!Number.isSafeInteger(offset) || offset < 0) throw new UnanswerableQuery(`not an offset: ${offset}`);
    return [sql(`${from} ${asked.text} ${orderBy(keys)} LIMIT ? OFFSET ${offset}`, ...asked.values)];
  }
  if (query.offset !== undefined) throw new UnanswerableQuery('either an offset or a cursor');
  return rangesAfter(keys, decodeCursor(query, keys.length)).map((range) => {
    const { text, values } = all([asked, range.condition]);
    return sql(`${from} ${text} ${orderBy(range.keys)} LIMIT ?`, ...values);
  });
}

function orderBy(keys: readonly SortKey[]): string {
  const sorted = keys.filter(({ isFixed }) => !isFixed);
  if (sorted.length === 0) return '';
  return `ORDER BY ${sorted.map(({ field, order }) => `${field} ${order}`).join(', ')}`;
}

export function checkLimit(limit: number): void {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw new UnanswerableQuery(`a limit is 1..1,000, not ${limit}`);
  }
}

function sortKeys(query: Query): readonly SortKey[] {
  const fixed = new Set(
    (query.filter ? conjuncts(query.filter) : []).flatMap((part) => ('equal' in part ? [part.equal[0]] : [])),
  );
  const keys = (query.sort ?? []).map(({ path, order }) => ({
    ...{ field: extract(path), order },
    isFixed: fixed.has(path),
  }));
  return [...keys, { field: 'docs.id', order: keys.at(-1)?.order ?? 'asc', isFixed: false }];
}

/** Documents that an index has side by side, and the sort keys that are not the same in all of them. */
interface Range {
  readonly condition: Sql;
  readonly keys: readonly SortKey[];
}

/** What sorts after a place, in order: as the place but beyond in the last key, then in the one before it, and so on. */
function rangesAfter(keys: readonly SortKey[], place: Place): readonly Range[] {
  return keys
    .map((key, at): readonly Range[] => {
      const value = place[at] ?? null;
      const same = keys.slice(0, at).map(({ field }, before) => sameValue(field, place[before] ?? null));
      const range = (condition: Sql, from: number): Range => ({
        condition: all([...same, condition]),
        keys: keys.slice(from),
      });
      const { field, order } = key;
      if (order === 'asc') {
        return [range(value === null ? sql(`${field} IS NOT NULL`) : sql(`${field} > ?`, value), at)];
      }
      if (value === null) return [];
      return [range(sql(`${field} < ?`, value), at), range(sameValue(field, null), at + 1)];
    })
    .toReversed()
    .flat();
}

function sameValue(field: string, value: KeyValue): Sql {
  return value === null ? sql(`${field} IS NULL`) : sql(`${field} = ?`, value);
}

/** Base64url of a JSON array: a mark of the filter and sort it belongs to, then the place of the last document. */
export function encodeCursor(query: Query, last: Document<object>): string {
  const keys = (query.sort ?? []).map(({ path }) => keyValue(valueAt(last.data, path)));
  return Buffer.from(JSON.stringify([mark(query), ...keys, last.id])).toString('base64url');
}

function decodeCursor(query: Query, keys: number): Place {
  const parts = parseCursor(query.cursor ?? '');
  if (parts[0] !== mark(query)) throw new BadCursor('this cursor belongs to another filter or sort');
  const place = parts.slice(1);
  if (place.length !== keys || !place.every(isKeyValue)) throw new BadCursor('this is no cursor');
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

/** As SQLite extracts it: true as 1, arrays and objects as their JSON. */
function keyValue(value: unknown): KeyValue {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value);
}

function isKeyValue(value: unknown): value is KeyValue & SQLInputValue {
  return value === null || typeof value === 'string' || typeof value === 'number';
}
