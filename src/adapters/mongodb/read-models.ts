/** Read models in MongoDB: of several processes all may ask, and one at a time writes each projection. */
import type { ClientSession, Db } from 'mongodb';
import { StoreUnavailable } from '../../ports/event-store.ts';
import type { Document, Query, ReadModels, Scope, TextQuery } from '../../ports/read-models.ts';
import type { MongoConnection } from './connection.ts';
import { openCatalogue, type StoredCollection } from './read-models-catalogue.ts';
import { facets } from './read-models-facets.ts';
import { all, visible, where } from './read-models-filter.ts';
import { findPage } from './read-models-page.ts';
import { search } from './read-models-search.ts';
import { toDocument, type StoredDocument } from './read-models-stored.ts';
import { writing } from './read-models-writing.ts';
import { whileOpen } from './while-open.ts';

/**
 * @param shared stays open when these are closed
 * @param options.keptFor ms for which replaced collections stay, since others may be reading them; default 60,000
 * @throws {StoreUnavailable} when the server cannot write documents and their checkpoint at once
 */
export async function openMongoReadModels(
  shared: MongoConnection,
  options: { readonly keptFor?: number } = {},
): Promise<ReadModels> {
  if (!shared.hasTransactions)
    throw new StoreUnavailable(
      'MONGODB_URL names a server without transactions, so documents and their checkpoint could not be written together: make it a replica set, of one member if need be (replSetName in its configuration, then rs.initiate())',
    );
  const { asking, during, close } = whileOpen(shared, 'the store of read models');
  const connection = {
    ...{ ...shared, asking },
    transaction: <T>(change: (session: ClientSession) => Promise<T>) =>
      during(() => shared.transaction(change)),
  };
  const catalogue = openCatalogue(connection, options.keptFor);
  await catalogue.sweep();

  async function of<T>(collection: string, ask: (db: Db, its: StoredCollection) => Promise<T>): Promise<T> {
    const its = await catalogue.answering(collection);
    return connection.asking((db) => ask(db, its));
  }
  const documentsOf = (db: Db, { stored }: StoredCollection) => db.collection<StoredDocument>(stored);

  return {
    ...writing(connection, catalogue),

    async generations() {
      const projections = await catalogue.projections();
      return projections.flatMap(({ _id: projection, active, generations }) =>
        Object.values(generations)
          .map(({ version, checkpoint }) => ({
            ...{ projection, version, checkpoint },
            active: version === active,
          }))
          .toSorted((a, b) => a.version - b.version),
      );
    },

    async load(generation, collection, ids) {
      const { collections } = await catalogue.generation(generation);
      const its = collections.find(({ spec }) => spec.name === collection);
      if (!its) throw new Error(`no generation ${generation.projection} has a collection ${collection}`);
      if (ids.length === 0) return [];
      const found = await connection.asking((db) =>
        documentsOf(db, its)
          .find({ _id: { $in: [...ids] } })
          .toArray(),
      );
      return found.map((stored) => toDocument(stored));
    },

    get: <D extends object>(collection: string, id: string, scope: Scope): Promise<Document<D> | null> =>
      of(collection, async (db, its) => {
        const found = await documentsOf(db, its).findOne(all([{ _id: id }, visible(its.spec, scope)]));
        return found === null ? null : toDocument<D>(found);
      }),
    find: <D extends object>(collection: string, query: Query) =>
      of(collection, (db, its) => findPage<D>(documentsOf(db, its), its.spec, query)),
    count: (collection, query) =>
      of(collection, (db, its) => documentsOf(db, its).countDocuments(where(its.spec, query))),
    facets: (collection, query) => of(collection, (db, its) => facets(documentsOf(db, its), its.spec, query)),
    search: <D extends object>(collection: string, query: TextQuery) =>
      of(collection, (db, its) => search<D>(db, its, query)),

    close,
  };
}
