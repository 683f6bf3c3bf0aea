/** How read models are stored in MongoDB, and what several processes see of each other there. */
import { expect } from 'chai';
import { MongoClient } from 'mongodb';
import type { JsonObject } from '../../../src/ports/event-store.ts';
import type { Filter, ReadModels } from '../../../src/ports/read-models.ts';
import {
  checkpoint,
  first,
  foundIds,
  ids,
  platform,
  plugins,
  put,
  second,
} from '../../contract/read-models-support.ts';
import { openOwnReadModels, testDatabase, type TestDatabase } from '../../support/mongo-database.ts';
import { until } from '../../support/until.ts';
import { withStore } from '../../support/stores.ts';

withStore('MONGODB_URL', 'what read models keep in MongoDB', (server) => {
  let database: TestDatabase;
  let models: ReadModels;
  beforeEach(async () => {
    database = testDatabase(server);
    models = await openOwnReadModels({ url: database.url });
    await models.declare(first, [plugins]);
  });
  afterEach(async () => {
    await models.close();
    await database.drop();
  });

  it('comes back as it was, whatever its keys mean to MongoDB', async () => {
    const data: JsonObject = {
      name: 'payment',
      schema: { $schema: 'https://json-schema.org', $ref: '#/a', $id: 'x', $db: 'y', properties: { $id: 1 } },
      list: [
        { 'a.b': 1, '': 2, '~': 3, '~"x"': 4 },
        { _bsontype: 'ObjectId', id: 'x' },
      ],
      'no\0end': null,
      number: { large: 2 ** 53, small: 5e-324, whole: 2 ** 31 },
    };
    await models.commit(first, [put('plugins', '$id', null, data)], checkpoint(1));
    await models.activate(first);
    expect((await models.get('plugins', '$id', platform))?.data).to.deep.equal(data);
    expect((await models.load(first, 'plugins', ['$id']))[0]?.data).to.deep.equal(data);
    const words = { scope: platform, words: ['payment'], limit: 1 };
    expect((await models.search('plugins', words)).found[0]?.document.data).to.deep.equal(data);
  });

  it('is asked for by paths that do not go into arrays, as MongoDB would', async () => {
    const documents = { list: { a: [{ b: 1 }] }, object: { a: { b: 1 } }, nothing: {} };
    const writes = Object.entries(documents).map(([id, data]) => put('plugins', id, null, data));
    await models.commit(first, writes, checkpoint(1));
    await models.activate(first);
    const expected: readonly (readonly [Filter, readonly string[]])[] = [
      [{ equal: ['a.b', 1] }, ['object']],
      [{ in: ['a.b', [1, 2]] }, ['object']],
      [{ range: ['a.b', { gte: 0 }] }, ['object']],
      [{ equal: ['a.b', null] }, ['list', 'nothing']],
      [{ in: ['a.b', [null]] }, ['list', 'nothing']],
      [{ range: ['a.b', { lte: null }] }, ['list', 'nothing']],
    ];
    for (const [filter, found] of expected) {
      const page = await models.find('plugins', { scope: platform, filter, limit: 9 });
      expect(ids(page.documents), JSON.stringify(filter)).to.deep.equal(found);
    }
  });

  it('has the indexes that are declared: one that was changed or dropped by hand is made anew, others go', async () => {
    const client = new MongoClient(database.url);
    try {
      const [stored] = (await client.db().listCollections({}, { nameOnly: true }).toArray()).filter(
        ({ name }) => name.startsWith('plugins.') && !name.endsWith('.words'),
      );
      const collection = client.db().collection(stored!.name);
      const indexes = async () =>
        (await collection.indexes()).map(({ name, key }) => JSON.stringify([name, key])).toSorted();
      const declared = await indexes();
      const ours = (await collection.indexes()).filter(({ name }) => name !== '_id_');
      expect(ours.length).to.be.greaterThan(1);
      await collection.dropIndexes();
      await collection.createIndexes([{ key: { other: 1 }, name: ours[0]!.name! }]);
      await collection.createIndex({ somebodys: 1 });
      await models.declare(first, [plugins]);
      expect(await indexes()).to.deep.equal(declared);
    } finally {
      await client.close();
    }
  });

  it('is seen by other processes: within a second a generation that answers in place of another, too', async () => {
    await models.commit(first, [put('plugins', 'p1', null, { name: 'old' })], checkpoint(1));
    await models.activate(first);
    const other = await openOwnReadModels({ url: database.url });
    try {
      expect((await other.get<{ readonly name: string }>('plugins', 'p1', platform))?.data.name).to.equal(
        'old',
      );
      await models.declare(second, [plugins]);
      await models.commit(second, [put('plugins', 'p1', null, { name: 'new' })], checkpoint(1));
      await models.activate(second);
      // Never nothing: what was replaced stays while others may be reading it.
      let name = 'old';
      for (const until = performance.now() + 10_000; name === 'old' && performance.now() < until;) {
        const page = await other.search<{ readonly name: string }>('plugins', {
          ...{ scope: platform, words: [name], limit: 1 },
        });
        name = foundIds(page).length === 1 ? name : 'new';
        const found = await other.get<{ readonly name: string }>('plugins', 'p1', platform);
        expect(found?.data.name).to.be.oneOf(['old', 'new']);
      }
      expect((await other.get<{ readonly name: string }>('plugins', 'p1', platform))?.data.name).to.equal(
        'new',
      );
      await other.commit(second, [put('plugins', 'p1', null, { name: 'newer' })], checkpoint(2));
      expect((await models.get<{ readonly name: string }>('plugins', 'p1', platform))?.data.name).to.equal(
        'newer',
      );
    } finally {
      await other.close();
    }
  });

  it('goes when nobody can be reading it any more', async () => {
    const client = new MongoClient(database.url);
    const brief = await openOwnReadModels({ url: database.url, keptFor: 50 });
    const collections = async () =>
      (await client.db().listCollections({}, { nameOnly: true }).toArray())
        .map(({ name }) => name)
        .filter((name) => name.startsWith('plugins.'));
    try {
      expect((await collections()).every((name) => name.startsWith('plugins.v1.'))).to.equal(true);
      await brief.declare(second, [plugins]);
      await brief.activate(second);
      await until('only the second is there', 20_000, async () =>
        (await collections()).every((name) => name.startsWith('plugins.v2.')) ? true : null,
      );
      expect(await collections()).to.have.length(2);
    } finally {
      await brief.close();
      await client.close();
    }
  });
});
