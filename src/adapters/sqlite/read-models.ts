/** Read models in one SQLite file of their own. Small reads here, long ones and all writes in threads of their own. */
import { StoreUnavailable, type Position } from '../../ports/event-store.ts';
import {
  UnanswerableQuery,
  type Checkpoint,
  type Document,
  type DocumentPage,
  type Generation,
  type Query,
  type ReadModels,
  type Scope,
  type TextQuery,
} from '../../ports/read-models.ts';
import { asUnavailable, openForReading } from './read-models-file.ts';
import { sql, visible, where } from './read-models-filter.ts';
import { encodeCursor, pageStatements } from './read-models-page.ts';
import type { Reader } from './read-models-reader.ts';
import { documentsTable, type StoredCollection, type Table } from './read-models-schema.ts';
import { DOCUMENT_COLUMNS, keepStatements, toDocument, type Row } from './read-models-statements.ts';
import { startThread } from './read-models-thread.ts';
import type { Writer } from './read-models-writer.ts';

/**
 * Opens the read models at `path`, making the file where there is none. A damaged file, or one of an older format, is
 * deleted: `generations()` is then empty, and what projects must begin again. A sound file of another application is set
 * aside under another name. The folder must exist; one process at a time.
 */
export async function openSqliteReadModels({ path }: { readonly path: string }): Promise<ReadModels> {
  const writer = startThread<Writer>(new URL('./read-models-writer.ts', import.meta.url));
  const reader = startThread<Reader>(new URL('./read-models-reader.ts', import.meta.url));
  let catalogue: readonly StoredCollection[];
  try {
    catalogue = await writer.call('open', path);
    await reader.call('open', path);
  } catch (error) {
    await Promise.all([reader.close(), writer.close()]);
    throw error;
  }
  const db = openForReading(path);
  const statements = keepStatements(db);

  /** The active tables of a collection. */
  function answering(collection: string): Table {
    const stored = catalogue.find(({ active, spec }) => active && spec.name === collection);
    if (!stored) throw new UnanswerableQuery(`no active generation has a collection ${collection}`);
    return { number: stored.number, spec: stored.spec };
  }

  function tableOf(generation: Generation, collection: string): Table {
    const stored = catalogue.find(
      ({ projection, version, spec }) =>
        projection === generation.projection && version === generation.version && spec.name === collection,
    );
    if (!stored)
      throw new UnanswerableQuery(`no generation ${generation.projection} has a collection ${collection}`);
    return stored;
  }

  /** Several statements see one state of the file. */
  function snapshot<T>(read: () => T): T {
    try {
      db.exec('BEGIN');
      return read();
    } finally {
      if (db.isTransaction) db.exec('COMMIT');
    }
  }

  async function reading<T>(read: () => T): Promise<T> {
    if (!db.isOpen) throw new StoreUnavailable('the read models have been closed');
    try {
      return read();
    } catch (error) {
      throw asUnavailable(error, db);
    }
  }

  return {
    async declare(generation, collections) {
      catalogue = await writer.call('declare', generation, collections);
    },
    async activate(generation) {
      catalogue = await writer.call('activate', generation);
      // Searches under way may still be in the tables that nothing refers to any more.
      await reader.answered();
      await writer.call('sweep');
    },
    reset: (generation) => writer.call('reset', generation),
    commit: async (generation, writes, checkpoint) =>
      writer.call('commit', generation, JSON.stringify(writes), checkpoint),

    generations: () =>
      reading(() =>
        statements.rows(sql('SELECT * FROM generations ORDER BY projection, version')).map((row) => ({
          projection: String(row['projection']),
          version: Number(row['version']),
          active: row['active'] === 1,
          checkpoint: toCheckpoint(row),
        })),
      ),

    load: (generation, collection, ids) =>
      reading(() => {
        const { number } = tableOf(generation, collection);
        const text = `SELECT ${DOCUMENT_COLUMNS} FROM ${documentsTable(number)} AS docs WHERE id IN (SELECT value FROM json_each(?))`;
        return statements.rows(sql(text, JSON.stringify(ids))).map((row) => toDocument(row));
      }),

    get: <D extends object>(collection: string, id: string, scope: Scope) =>
      reading(() => {
        const table = answering(collection);
        const scoped = visible(table, scope);
        const text = `SELECT ${DOCUMENT_COLUMNS} FROM ${documentsTable(table.number)} AS docs WHERE id = ? AND ${scoped.text}`;
        const row = statements.prepare(text).get(id, ...scoped.values);
        return row === undefined ? null : toDocument<D>(row);
      }),

    find: <D extends object>(collection: string, query: Query) =>
      reading(() => {
        const pages = pageStatements(answering(collection), query);
        const rows = snapshot(() => {
          const wanted = query.limit + 1;
          const found: Row[] = [];
          for (const { text, values } of pages) {
            if (found.length >= wanted) break;
            found.push(...statements.rows({ text, values: [...values, wanted - found.length] }));
          }
          return found;
        });
        return toPage<D>(query, rows);
      }),

    count: (collection, query) =>
      reading(() => {
        const table = answering(collection);
        const asked = where(table, query);
        const text = `SELECT count(*) AS count FROM ${documentsTable(table.number)} AS docs WHERE ${asked.text}`;
        return Number(statements.prepare(text).get(...asked.values)?.['count']);
      }),

    facets: async (collection, query) => reader.call('facets', answering(collection), query),
    async search<D extends object>(collection: string, query: TextQuery) {
      return (await reader.call('search', answering(collection), query)) as readonly Document<D>[];
    },

    async close() {
      await reader.close();
      if (db.isOpen) db.close();
      // Last: the last connection to close folds the WAL into the file.
      await writer.close();
    },
  };
}

function toPage<D extends object>(query: Query, rows: readonly Row[]): DocumentPage<D> {
  const documents = rows.slice(0, query.limit).map((row) => toDocument<D>(row));
  const last = documents.at(-1);
  return rows.length > query.limit && last ? { documents, cursor: encodeCursor(query, last) } : { documents };
}

/** Positions are opaque here: this store only keeps what the log handed out. */
function toCheckpoint(row: Row): Checkpoint | null {
  const eventId = row['event_id'];
  if (typeof row['position'] !== 'string') return null;
  return { position: row['position'] as Position, eventId: typeof eventId === 'string' ? eventId : null };
}
