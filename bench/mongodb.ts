/** A read model built in MongoDB of its log, beside its documents written by the bare client into a collection with the same indexes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient, type Db } from 'mongodb';
import { connectMongo } from '../src/adapters/mongodb/connection.ts';
import { openMongoReadModels } from '../src/adapters/mongodb/read-models.ts';
import { openSqliteEventStore } from '../src/adapters/sqlite/event-store.ts';
import { bookmarkCollection } from '../src/core/projection-bookmark.ts';
import type { EventStore } from '../src/ports/event-store.ts';
import { tenantsProjection } from '../src/projections/tenants.ts';
import { withBuilt } from './built.ts';
import { tenantCreated } from './plugin-events.ts';
import { compared, type Row } from './table.ts';
import { inTurns, timed } from './turns.ts';

/** Of the bare client's, as many as a projector commits at once. */
const batch = 500;
const inFlight = 1_000;

/** Nothing, loudly, where `MONGODB_URL` names no server. */
export async function benchMongo(tenants = 10_000, rounds = 5): Promise<Row[]> {
  const server = process.env['MONGODB_URL'];
  if (!server) {
    console.error('NOT MEASURED: mongodb, since MONGODB_URL names no server');
    return [];
  }
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const store = await openSqliteEventStore({ path: join(folder, 'log.db') });
  const client = new MongoClient(server, { writeConcern: { w: 'majority' } });
  const databases = Array.from({ length: rounds + 2 }, (_, round) => `slipway_bench_${process.pid}_${round}`);
  const urlOf = (name = ''): string => {
    const url = new URL(server);
    url.pathname = `/${name}`;
    return url.href;
  };
  try {
    const names = Array.from({ length: tenants }, (_, number) => `tenant${number}`);
    for (let done = 0; done < tenants; done += inFlight)
      await Promise.all(
        names
          .slice(done, done + inFlight)
          .map((name) => store.append(`tenant-${name}`, 'none', [tenantCreated(name, name)])),
      );
    const [first, ...others] = databases;
    await build(store, urlOf(first));
    const ready = await documentsOf(client.db(first));
    if (ready.documents.length !== tenants)
      throw new Error(`${ready.documents.length} of ${tenants} were built`);
    const perSecond = (ms: number): number => (tenants / ms) * 1_000;
    const { ours, reference } = await inTurns(
      { rounds, warmUps: 1 },
      async (round) => perSecond(await build(store, urlOf(others[round]))),
      async (round) => perSecond(await writeBare(client.db(others[round]), ready)),
    );
    const name = `a read model of ${tenants.toLocaleString('en')} documents built in MongoDB of its log (reference: bulkWrite of the same documents into a collection with the same indexes, ${batch} at once)`;
    return [compared(name, 'documents/s', ours, reference, { atLeast: 0.6 })];
  } finally {
    for (const name of databases) await client.db(name).dropDatabase();
    await client.close();
    await store.close();
    await rm(folder, { recursive: true });
  }
}

/** @returns ms from when collections and indexes are there until the read model stands at the log's end */
async function build(store: EventStore, url: string): Promise<number> {
  const connection = await connectMongo({ url });
  const models = await openMongoReadModels(connection);
  const { name: projection, version, collections } = tenantsProjection;
  // As the projector does: indexes are made before the reference's time begins, too.
  await models.declare({ projection, version }, [...collections, bookmarkCollection(projection)]);
  try {
    return await withBuilt(store, models, (_, builtMs) => builtMs);
  } finally {
    await connection.close();
  }
}

interface Written {
  readonly _id: string;
}

interface Ready {
  readonly documents: readonly Written[];
  readonly indexes: readonly { readonly name: string; readonly key: Readonly<Record<string, 1>> }[];
}

/** What the reference has to write: it gets its documents ready made, as turning events into them is our cost. */
async function documentsOf(db: Db): Promise<Ready> {
  const [found] = (await db.listCollections({}, { nameOnly: true }).toArray()).filter(({ name }) =>
    name.startsWith('tenants.'),
  );
  const collection = db.collection<Written>(found?.name ?? '');
  const indexes = (await collection.indexes()).filter(({ name }) => name !== '_id_');
  return {
    documents: await collection.find({}).sort({ _id: 1 }).toArray(),
    indexes: indexes.map(({ name = '', key }) => ({ name, key: key as Readonly<Record<string, 1>> })),
  };
}

/** @returns ms, without the time that indexes take to be made */
async function writeBare(db: Db, { documents, indexes }: Ready): Promise<number> {
  const collection = db.collection<Written>('bare');
  await collection.createIndexes(indexes.map(({ name, key }) => ({ name, key })));
  const { ms } = await timed(async () => {
    for (let done = 0; done < documents.length; done += batch)
      await collection.bulkWrite(
        documents.slice(done, done + batch).map((document) => ({
          replaceOne: { filter: { _id: document._id }, replacement: document, upsert: true },
        })),
        { ordered: false },
      );
  });
  return ms;
}
