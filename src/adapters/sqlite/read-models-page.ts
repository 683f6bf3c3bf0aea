/** Pages of documents as statements: sorting, offsets, and what comes after a cursor. */
import type { SQLInputValue } from 'node:sqlite';
import type { Query } from '../../ports/read-models.ts';
import {
  beginningOf,
  conjuncts,
  rangesAfter,
  type KeyValue,
  type Place,
  type RangeAfter,
} from '../read-models/query.ts';
import { all, sql, where, type IsCommon, type Sql } from './read-models-filter.ts';
import { extract } from './read-models-path.ts';
import { documentsTable, type Table } from './read-models-schema.ts';
import { DOCUMENT_COLUMNS } from './read-models-statements.ts';

interface SortKey {
  readonly field: string;
  /** The filter lets one value through: nothing is to be sorted, and SQLite would sort it for not knowing that. */
  readonly isFixed: boolean;
  readonly order: 'asc' | 'desc';
}

/**
 * The statements that answer a query, to be run in this order, each with the number of documents still missing as its last
 * value, until the page is full. After a cursor there are several, each one range of an index: one statement with an OR
 * would walk through everything before the cursor again.
 */
export function pageStatements(table: Table, query: Query, isCommon?: IsCommon): readonly Sql[] {
  const beginning = beginningOf(query);
  const keys = sortKeys(query);
  const from = `SELECT ${DOCUMENT_COLUMNS} FROM ${documentsTable(table.number)} AS docs WHERE`;
  const asked = where(table, query, isCommon);
  if ('offset' in beginning)
    return [
      sql(`${from} ${asked.text} ${orderBy(keys)} LIMIT ? OFFSET ${beginning.offset}`, ...asked.values),
    ];
  const { after } = beginning;
  const orders = keys.map(({ order }) => order);
  return rangesAfter(orders, after).map((range) => {
    const { text, values } = all([asked, ...conditionsOf(range, keys, after)]);
    // What is the same in the whole range needs no sorting.
    const sorted = keys.slice(range.beyond === 'null' ? range.at + 1 : range.at);
    return sql(`${from} ${text} ${orderBy(sorted)} LIMIT ?`, ...values);
  });
}

function orderBy(keys: readonly SortKey[]): string {
  const sorted = keys.filter(({ isFixed }) => !isFixed);
  if (sorted.length === 0) return '';
  return `ORDER BY ${sorted.map(({ field, order }) => `${field} ${order}`).join(', ')}`;
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

function conditionsOf({ at, beyond }: RangeAfter, keys: readonly SortKey[], place: Place): readonly Sql[] {
  const same = keys.slice(0, at).map(({ field }, before) => sameValue(field, place[before] ?? null));
  const field = keys[at]?.field ?? 'docs.id';
  const value = extracted(place[at] ?? null);
  const past = {
    greater: () => sql(`${field} > ?`, value),
    less: () => sql(`${field} < ?`, value),
    null: () => sql(`${field} IS NULL`),
    notNull: () => sql(`${field} IS NOT NULL`),
  };
  return [...same, past[beyond]()];
}

function sameValue(field: string, value: KeyValue): Sql {
  return value === null ? sql(`${field} IS NULL`) : sql(`${field} = ?`, extracted(value));
}

/** As SQLite extracts it: true as 1. */
function extracted(value: KeyValue): SQLInputValue {
  return typeof value === 'boolean' ? Number(value) : value;
}
