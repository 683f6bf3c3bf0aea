/** A connection with its prepared statements kept, and rows as documents. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Document } from '../../ports/read-models.ts';
import type { Sql } from './read-models-filter.ts';

/** Values are bound, never spelt out, so few shapes of queries exist; this many are kept. */
const STATEMENTS_KEPT = 256;

export type Row = Readonly<Record<string, SQLOutputValue>>;

export interface Statements {
  prepare(text: string): StatementSync;
  /**
   * A statement that changes something. Its numbers are bigints: FTS5 leaves rowids behind that no number can hold, and
   * every later `run` would fail over reporting them.
   */
  writing(text: string): StatementSync;
  rows(query: Sql): readonly Row[];
}

export function keepStatements(db: DatabaseSync): Statements {
  const kept = new Map<string, StatementSync>();
  function prepare(text: string): StatementSync {
    const known = kept.get(text);
    if (known) return known;
    if (kept.size >= STATEMENTS_KEPT) kept.clear();
    const statement = db.prepare(text);
    kept.set(text, statement);
    return statement;
  }
  return {
    prepare,
    writing(text) {
      const statement = prepare(text);
      statement.setReadBigInts(true);
      return statement;
    },
    rows: ({ text, values }) => prepare(text).all(...values),
  };
}

/** The columns that `toDocument` reads. */
export const DOCUMENT_COLUMNS = 'docs.id AS id, docs.tenant AS tenant, docs.data AS data';

export function toDocument<D extends object>(row: Row): Document<D> {
  const tenant = row['tenant'];
  return {
    id: String(row['id']),
    tenant: typeof tenant === 'string' ? tenant : null,
    data: JSON.parse(String(row['data'])) as D,
  };
}
