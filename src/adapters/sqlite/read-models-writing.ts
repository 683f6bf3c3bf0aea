/** Everything that changes the read models' file, over one connection. Runs in the writer thread. */
import type { DatabaseSync } from 'node:sqlite';
import {
  StaleFence,
  type Checkpoint,
  type CollectionSpec,
  type Generation,
  type Write,
} from '../../ports/read-models.ts';
import { checkCollections } from '../read-models/path.ts';
import { asUnavailable } from './read-models-file.ts';
import { indexer, type Indexer } from './read-models-indexer.ts';
import {
  adaptIndexes,
  createSideTables,
  createTables,
  dropSideTables,
  dropTables,
  multiFields,
  readCatalogue,
  type StoredCollection,
} from './read-models-schema.ts';
import { keepStatements } from './read-models-statements.ts';

/** What changes the catalogue answers the new one. */
export interface Writing {
  declare(generation: Generation, collections: readonly CollectionSpec[]): readonly StoredCollection[];
  /** The tables of the generations it replaces stay until `sweep`: a reader may be in the middle of them. */
  activate(generation: Generation, fence?: number): readonly StoredCollection[];
  sweep(): void;
  reset(generation: Generation, fence?: number): void;
  fence(generation: Generation, fence: number): void;
  commit(generation: Generation, writes: readonly Write[], checkpoint: Checkpoint, fence?: number): void;
}

export function writing(db: DatabaseSync): Writing {
  const statements = keepStatements(db);
  const indexers = new Map<number, Indexer>();
  let catalogue = readCatalogue(db);

  function transaction(change: () => void): void {
    try {
      db.exec('BEGIN IMMEDIATE');
      change();
      db.exec('COMMIT');
    } catch (error) {
      // A full disk rolls back by itself; everything else does not.
      if (db.isTransaction) db.exec('ROLLBACK');
      indexers.clear();
      throw asUnavailable(error, db);
    }
  }

  function run(text: string, ...values: readonly (string | number | null)[]): number {
    return Number(statements.writing(text).run(...values).changes);
  }

  function collectionsOf(
    { projection, version }: Generation,
    among = catalogue,
  ): readonly StoredCollection[] {
    return among.filter((stored) => stored.projection === projection && stored.version === version);
  }

  function drop({ number }: StoredCollection): void {
    run('DELETE FROM collections WHERE number = ?', number);
    run('INSERT INTO dropped (number) VALUES (?)', number);
  }

  function create({ projection, version }: Generation, spec: CollectionSpec): void {
    const { lastInsertRowid } = statements
      .writing('INSERT INTO collections (projection, version, name, spec) VALUES (?, ?, ?, ?)')
      .run(projection, version, spec.name, JSON.stringify(spec));
    createTables(db, { number: Number(lastInsertRowid), spec });
  }

  function forget({ projection, version }: Generation): void {
    run(
      'UPDATE generations SET position = NULL, event_id = NULL WHERE projection = ? AND version = ?',
      projection,
      version,
    );
  }

  function empty(generation: Generation): void {
    // As of now: a declaration empties what it has just changed.
    for (const stored of collectionsOf(generation, readCatalogue(db))) {
      dropTables(db, stored.number);
      createTables(db, stored);
      indexers.delete(stored.number);
    }
    forget(generation);
  }

  function adapt(stored: StoredCollection, spec: CollectionSpec): void {
    if (JSON.stringify(stored.spec) === JSON.stringify(spec)) return;
    run('UPDATE collections SET spec = ? WHERE number = ?', JSON.stringify(spec), stored.number);
    const table = { number: stored.number, spec };
    adaptIndexes(db, table);
    indexers.delete(stored.number);
    if (sideTablesOf(stored.spec) === sideTablesOf(spec)) return;
    dropSideTables(db, stored.number);
    createSideTables(db, table);
    indexer(statements, table).indexAll();
  }

  function indexerOf(generation: Generation, collection: string): Indexer {
    const stored = collectionsOf(generation).find(({ spec }) => spec.name === collection);
    if (!stored) throw new Error(`${describe(generation)} has no collection ${collection}`);
    const known = indexers.get(stored.number) ?? indexer(statements, stored);
    indexers.set(stored.number, known);
    return known;
  }

  function mustExist(generation: Generation, changes: number): void {
    if (changes === 0) throw new Error(`${describe(generation)} was never declared`);
  }

  /** Within a transaction, before it writes anything else. */
  function show(generation: Generation, fence: number | undefined): void {
    if (fence === undefined) return;
    const { projection, version } = generation;
    const text = 'UPDATE generations SET fence = ? WHERE projection = ? AND version = ? AND fence <= ?';
    if (run(text, fence, projection, version, fence) > 0) return;
    const known = statements.prepare('SELECT fence FROM generations WHERE projection = ? AND version = ?');
    const row = known.get(projection, version);
    mustExist(generation, row ? 1 : 0);
    throw new StaleFence(
      `${describe(generation)}: fence ${fence} is over, ${String(row?.['fence'])} was shown`,
    );
  }

  return {
    declare(generation, collections) {
      checkCollections(collections);
      const { projection, version } = generation;
      transaction(() => {
        for (const { name } of collections) {
          const taken = catalogue.find(
            (stored) => stored.spec.name === name && stored.projection !== projection,
          );
          if (taken) throw new Error(`collection ${name} belongs to projection ${taken.projection} already`);
        }
        run(
          'INSERT INTO generations (projection, version) VALUES (?, ?) ON CONFLICT DO NOTHING',
          projection,
          version,
        );
        const stored = collectionsOf(generation);
        for (const old of stored) if (!collections.some(({ name }) => name === old.spec.name)) drop(old);
        let grown = false;
        for (const spec of collections) {
          const old = stored.find((known) => known.spec.name === spec.name);
          if (old) adapt(old, spec);
          else create(generation, spec);
          grown ||= !old;
        }
        // What the log already told is missing in a new collection: this generation begins again.
        if (grown) empty(generation);
      });
      return (catalogue = readCatalogue(db));
    },

    activate(generation, fence) {
      const { projection, version } = generation;
      transaction(() => {
        show(generation, fence);
        mustExist(
          generation,
          run('UPDATE generations SET active = 1 WHERE projection = ? AND version = ?', projection, version),
        );
        for (const stored of catalogue) {
          if (stored.projection === projection && stored.version !== version) drop(stored);
        }
        run('DELETE FROM generations WHERE projection = ? AND version <> ?', projection, version);
      });
      return (catalogue = readCatalogue(db));
    },

    sweep() {
      for (const row of statements.rows({ text: 'SELECT number FROM dropped', values: [] })) {
        const number = Number(row['number']);
        transaction(() => {
          dropTables(db, number);
          run('DELETE FROM dropped WHERE number = ?', number);
          indexers.delete(number);
        });
      }
    },

    reset(generation, fence) {
      transaction(() => {
        show(generation, fence);
        empty(generation);
      });
    },

    fence: (generation, fence) => transaction(() => show(generation, fence)),

    commit(generation, writes, checkpoint, fence) {
      transaction(() => {
        show(generation, fence);
        for (const write of writes) {
          if ('put' in write) indexerOf(generation, write.put.collection).put(write.put.document);
          else indexerOf(generation, write.delete.collection).delete(write.delete.id);
        }
        const text = 'UPDATE generations SET position = ?, event_id = ? WHERE projection = ? AND version = ?';
        const { position, eventId } = checkpoint;
        mustExist(generation, run(text, position, eventId, generation.projection, generation.version));
      });
    },
  };
}

function describe({ projection, version }: Generation): string {
  return `version ${version} of projection ${projection}`;
}

function sideTablesOf(spec: CollectionSpec): string {
  return JSON.stringify([multiFields(spec), spec.text, spec.textFilters ?? []]);
}
