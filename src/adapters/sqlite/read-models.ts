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
  type TextPage,
  type TextQuery,
} from '../../ports/read-models.ts';
import { encodeCursor } from '../read-models/query.ts';
import { asUnavailable, openForReading } from './read-models-file.ts';
import { countStatement, isCommon } from './read-models-elements.ts';
import { sql, visible } from './read-models-filter.ts';
import { pageStatements } from './read-models-page.ts';
import type { Reader } from './read-models-reader.ts';
import { keepRecentAnswers } from './read-models-recent.ts';
import { documentsTable, type StoredCollection, type Table } from './read-models-schema.ts';
import { DOCUMENT_COLUMNS, keepStatements, toDocument, type Row } from './read-models-statements.ts';
import { startThread } from './thread.ts';
import type { Writer } from './read-models-writer.ts';

/**
 * Opens the read models at `path`, making the file where there is none. A damaged file, or one of an older format, is
 * deleted: `generations()` is then empty, and what projects must begin again. A sound file of another application is set
 * aside under another name. The folder must exist; one process at a time.
 */
export async function openSqliteReadModels({ path }: { readonly path: string }): Promise<ReadModels> {
  const name = "the read models' thread";
  const writer = startThread<Writer>(new URL('./read-models-writer.ts', import.meta.url), name);
  const reader = startThread<Reader>(new URL('./read-models-reader.ts', import.meta.url), name);
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
  const recent = keepRecentAnswers();

  /** The active tables of a collection. */
  function answering(collection: string): Table {
    const stored = catalogue.find(({ active, spec }) => active && spec.name === collection);
    if (!stored) throw new UnanswerableQuery(`no active generation has a collection ${collection}`);
    return { number: stored.number, spec: stored.spec };
  }

  function tablesOf(generation: Generation): readonly Table[] {
    return catalogue.filter(
      ({ projection, version }) => projection === generation.projection && version === generation.version,
    );
  }

  function tableOf(generation: Generation, collection: string): Table {
    const stored = tablesOf(generation).find(({ spec }) => spec.name === collection);
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
    async activate(generation, fence) {
      catalogue = await writer.call('activate', generation, fence);
      // Searches under way may still be in the tables that nothing refers to any more.
      await reader.answered();
      await writer.call('sweep');
    },
    async reset(generation, fence) {
      try {
        await writer.call('reset', generation, fence);
      } finally {
        for (const table of tablesOf(generation)) recent.changed(table);
      }
    },
    fence: (generation, fence) => writer.call('fence', generation, fence),
    async commit(generation, writes, checkpoint, fence) {
      try {
        await writer.call('commit', generation, JSON.stringify(writes), checkpoint, fence);
      } finally {
        // Also after a failure, of which nobody knows how far it came.
        const written = new Set(
          writes.map((write) => ('put' in write ? write.put.collection : write.delete.collection)),
        );
        for (const table of tablesOf(generation)) if (written.has(table.spec.name)) recent.changed(table);
      }
    },

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
        const read = (): { readonly found: Document<D> | null } => {
          const scoped = visible(table, scope);
          const text = `SELECT ${DOCUMENT_COLUMNS} FROM ${documentsTable(table.number)} AS docs WHERE id = ? AND ${scoped.text}`;
          const row = statements.prepare(text).get(id, ...scoped.values);
          return { found: row === undefined ? null : toDocument<D>(row) };
        };
        return recent.answer(table, ['get', id, scope], read, () => 1).found;
      }),

    find: <D extends object>(collection: string, query: Query) =>
      reading(() => {
        const table = answering(collection);
        const read = (): DocumentPage<D> => {
          const rows = snapshot(() => {
            const pages = pageStatements(table, query, isCommon(statements, table));
            const wanted = query.limit + 1;
            const found: Row[] = [];
            for (const { text, values } of pages) {
              if (found.length >= wanted) break;
              found.push(...statements.rows({ text, values: [...values, wanted - found.length] }));
            }
            return found;
          });
          return toPage<D>(query, rows);
        };
        return recent.answer(table, ['find', query], read, ({ documents }) => documents.length);
      }),

    count: (collection, query) =>
      reading(() => {
        const table = answering(collection);
        const read = () => {
          const { text, values } = countStatement(table, query, isCommon(statements, table));
          return { count: Number(statements.prepare(text).get(...values)?.['count']) };
        };
        return recent.answer(table, ['count', query], read, () => 0).count;
      }),

    facets: async (collection, query) => reader.call('facets', answering(collection), query),
    async search<D extends object>(collection: string, query: TextQuery) {
      return (await reader.call('search', answering(collection), query)) as TextPage<D>;
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
