/** The reader thread: a facet or a search over many documents holds up only the ones behind it. */
import type { DatabaseSync } from 'node:sqlite';
import type { Json } from '../../ports/event-store.ts';
import type { TextPage, TextQuery } from '../../ports/read-models.ts';
import { asUnavailable, openForReading } from './read-models-file.ts';
import { facets, type FacetQuery } from './read-models-facets.ts';
import type { Table } from './read-models-schema.ts';
import { search } from './read-models-search.ts';
import { keepStatements, type Statements } from './read-models-statements.ts';
import { serveThread } from './thread.ts';

export interface Reader {
  /** First of all, once the writer has opened. */
  open(path: string): void;
  facets(table: Table, query: FacetQuery): readonly { readonly value: Json; readonly count: number }[];
  search(table: Table, query: TextQuery): TextPage<object>;
}

let db: DatabaseSync | undefined;
let statements: Statements | undefined;

/** Several statements see one state of the file. */
function reading<T>(question: (statements: Statements) => T): T {
  if (!db || !statements) throw new Error('not opened');
  try {
    db.exec('BEGIN');
    return question(statements);
  } catch (error) {
    throw asUnavailable(error, db);
  } finally {
    if (db.isTransaction) db.exec('COMMIT');
  }
}

const functions: Reader = {
  open(path) {
    db = openForReading(path);
    statements = keepStatements(db);
  },
  facets: (table, query) => reading((statements) => facets(statements, table, query)),
  search: (table, query) => reading((statements) => search(statements, table, query)),
};

serveThread(functions, () => db?.close());
