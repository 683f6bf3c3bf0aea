/** The tables of the read models: their names, how they are made, adapted and dropped, and the catalogue of what is there. */
import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { CollectionSpec, Generation, IndexSpec } from '../../ports/read-models.ts';
import { extract, typeOf } from './read-models-path.ts';

/** A collection as stored: its tables carry its number, which is never used again. */
export interface Table {
  readonly number: number;
  readonly spec: CollectionSpec;
}

export interface StoredCollection extends Table, Generation {
  readonly active: boolean;
}

/** Raised when the tables below change: a file of another format is thrown away and rebuilt from the log. */
export const FORMAT = 4;
/** "SLRM", SQLite's own mark of whose file this is. */
export const APPLICATION_ID = 0x534c524d;

export const documentsTable = (number: number): string => `documents_${number}`;
/** Elements of arrays under `multi` indexes, as JSON, so that `1`, `"1"` and `true` stay apart. */
export const elementsTable = (number: number): string => `elements_${number}`;
/** Full text: a bag of tokens (read-models-tokens.ts) a document; the rowid is the document's. */
export const textTable = (number: number): string => `text_${number}`;
/** Facts that searches are filtered by, numbered: tokens are made of the numbers. */
export const factsTable = (number: number): string => `facts_${number}`;
/** Beginnings of words that are indexed, in letters: longer ones are looked up among the words. A token has one letter more. */
export const indexedPrefixes = [1, 2, 3, 4, 5] as const;
/** Words of the texts by themselves and by what is left when one letter is dropped: how typos are found. */
export const variantsTable = (number: number): string => `variants_${number}`;

export function createMeta(db: DatabaseSync): void {
  db.exec(`
    CREATE TABLE generations (
      projection TEXT NOT NULL, version INTEGER NOT NULL, active INTEGER NOT NULL DEFAULT 0,
      position TEXT, event_id TEXT, fence INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (projection, version)
    );
    CREATE TABLE collections (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      projection TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL, spec TEXT NOT NULL,
      UNIQUE (projection, version, name)
    );
    CREATE TABLE dropped (number INTEGER PRIMARY KEY);
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${FORMAT};
  `);
}

export function readCatalogue(db: DatabaseSync): readonly StoredCollection[] {
  const rows = db
    .prepare(
      'SELECT number, projection, version, spec, active FROM collections JOIN generations USING (projection, version)',
    )
    .all();
  return rows.map((row) => ({
    number: Number(row['number']),
    projection: String(row['projection']),
    version: Number(row['version']),
    active: row['active'] === 1,
    spec: JSON.parse(String(row['spec'])) as CollectionSpec,
  }));
}

/**
 * A rowid table on purpose: SQLite ignores expression indexes of a `WITHOUT ROWID` table until it was analysed. `doc` is
 * named, or a VACUUM might renumber what the other tables refer to.
 */
export function createTables(db: DatabaseSync, { number, spec }: Table): void {
  db.exec(
    `CREATE TABLE ${documentsTable(number)} (doc INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, tenant TEXT, data TEXT NOT NULL)`,
  );
  adaptIndexes(db, { number, spec });
  createSideTables(db, { number, spec });
}

export function createSideTables(db: DatabaseSync, { number, spec }: Table): void {
  if (multiFields(spec).length > 0) {
    const elements = elementsTable(number);
    db.exec(`
      CREATE TABLE ${elements} (doc INTEGER, field TEXT, value TEXT, PRIMARY KEY (field, value, doc)) WITHOUT ROWID;
      CREATE INDEX ${elements}_by_doc ON ${elements} (doc);
    `);
  }
  if (spec.text.length > 0) {
    // Tokens arrive made, so the simplest tokenizer is the exact one; where in a text they stand nobody asks.
    db.exec(`
      CREATE VIRTUAL TABLE ${textTable(number)} USING fts5(tokens, content = '', contentless_delete = 1,
        detail = 'none', tokenize = 'ascii', prefix = '${indexedPrefixes.map((letters) => letters + 1).join(' ')}');
      CREATE TABLE ${factsTable(number)} (number INTEGER PRIMARY KEY, fact TEXT NOT NULL UNIQUE);
      CREATE TABLE ${variantsTable(number)} (variant TEXT, word TEXT, PRIMARY KEY (variant, word)) WITHOUT ROWID;
    `);
  }
}

export function dropSideTables(db: DatabaseSync, number: number): void {
  for (const table of [elementsTable, textTable, factsTable, variantsTable]) {
    db.exec(`DROP TABLE IF EXISTS ${table(number)}`);
  }
}

export function dropTables(db: DatabaseSync, number: number): void {
  dropSideTables(db, number);
  db.exec(`DROP TABLE IF EXISTS ${documentsTable(number)}`);
}

/** Creates the indexes that the specification asks for and drops those that it no longer does. */
export function adaptIndexes(db: DatabaseSync, { number, spec }: Table): void {
  const table = documentsTable(number);
  const wanted = new Map(
    indexedColumns(spec).map((columns) => [
      `${table}_${createHash('sha256').update(columns).digest('hex').slice(0, 12)}`,
      columns,
    ]),
  );
  const rows = db
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL`)
    .all(table);
  const present = new Set(rows.map((row) => String(row['name'])));
  for (const name of present) if (!wanted.has(name)) db.exec(`DROP INDEX ${name}`);
  for (const [name, columns] of wanted) {
    if (!present.has(name)) db.exec(`CREATE INDEX ${name} ON ${table} (${columns})`);
  }
}

/**
 * Every index ends in the id, the tie-breaker of every sort. Where tenants see only their own, each index exists once more
 * under the tenant: otherwise a small tenant's question would walk through the documents of all.
 */
function indexedColumns(spec: CollectionSpec): readonly string[] {
  const declared = spec.indexes
    .filter((index) => !index.multi)
    .map((index) => [...columnsOf(index.fields), 'id', ...coveredColumns(index)].join(', '));
  if (spec.visibility === 'public') return declared;
  return ['tenant, id', ...declared, ...declared.map((columns) => `tenant, ${columns}`)];
}

function columnsOf(paths: readonly string[]): readonly string[] {
  return paths.map((path) => extract(path, ''));
}

/** What conditions ask for (read-models-filter.ts): values, and their types where values alone could mislead. */
function coveredColumns({ fields, covers = [] }: IndexSpec): readonly string[] {
  const values = columnsOf(covers.filter((path) => !fields.includes(path)));
  return [...values, ...covers.map((path) => typeOf(path, ''))];
}

export function multiFields(spec: CollectionSpec): readonly string[] {
  return [...new Set(spec.indexes.filter((index) => index.multi).flatMap((index) => index.fields))];
}
