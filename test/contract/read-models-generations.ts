/** The part of the ReadModels contract about versions of projections living side by side. */
import { expect } from 'chai';
import {
  UnanswerableQuery,
  type CollectionSpec,
  type Query,
  type ReadModels,
  type Write,
} from '../../src/ports/read-models.ts';
import {
  platform,
  acme,
  globex,
  plugins,
  deployments,
  first,
  second,
  checkpoint,
  put,
  foundIds,
  ids,
  failure,
} from './read-models-support.ts';

export function generationsContract(models: () => ReadModels): void {
  async function given(...writes: readonly Write[]): Promise<void> {
    await models().declare(first, [plugins, deployments]);
    await models().commit(first, writes, checkpoint(1));
    await models().activate(first);
  }

  async function found(collection: string, query: Partial<Query>): Promise<readonly string[]> {
    return ids((await models().find(collection, { scope: platform, limit: 100, ...query })).documents);
  }

  describe('generations', () => {
    it('answer only once active, and hand over at once', async () => {
      await models().declare(first, [plugins]);
      expect(await models().generations()).to.deep.equal([{ ...first, active: false, checkpoint: null }]);
      expect(await failure(models().count('plugins', { scope: platform }))).to.be.instanceOf(
        UnanswerableQuery,
      );
      await models().commit(first, [put('plugins', 'p1', null, { n: 1 })], checkpoint(1));
      await models().activate(first);
      await models().declare(second, [plugins]);
      await models().commit(second, [put('plugins', 'p2', null, { n: 2 })], checkpoint(1));
      expect(await found('plugins', {})).to.deep.equal(['p1']);
      expect(ids(await models().load(second, 'plugins', ['p1', 'p2']))).to.deep.equal(['p2']);
      await models().activate(second);
      expect(await found('plugins', {})).to.deep.equal(['p2']);
      expect(await models().generations()).to.deep.equal([
        { ...second, active: true, checkpoint: checkpoint(1) },
      ]);
      await failure(models().load(first, 'plugins', ['p1']));
      await failure(models().commit(first, [], checkpoint(2)));
    });

    it('hand over without a question failing', async () => {
      await given(put('plugins', 'p', null, { name: 'word', version: 1 }));
      await models().declare(second, [plugins]);
      await models().commit(second, [put('plugins', 'p', null, { name: 'word', version: 2 })], checkpoint(1));
      const active = { yet: false };
      const questions: Promise<unknown>[] = [];
      const activated = models()
        .activate(second)
        .then(() => (active.yet = true));
      while (!active.yet) {
        questions.push(
          models()
            .search('plugins', { scope: platform, words: ['word'], limit: 1 })
            .then(foundIds),
        );
        questions.push(models().facets('plugins', { scope: platform, path: 'name', limit: 1 }));
        expect(await found('plugins', {})).to.deep.equal(['p']);
        await new Promise(setImmediate);
      }
      await activated;
      for (const answer of await Promise.all(questions)) expect(answer).to.have.length(1);
    });

    it('are emptied by a reset and begin again', async () => {
      await given(put('plugins', 'p1', null, { name: 'word' }));
      await models().reset(first);
      expect(await models().generations()).to.deep.equal([{ ...first, active: true, checkpoint: null }]);
      expect(await found('plugins', {})).to.deep.equal([]);
      const words = { scope: platform, words: ['word'], limit: 1 };
      expect(await models().search('plugins', words)).to.deep.equal({ found: [], total: 0 });
      await models().commit(first, [put('plugins', 'p1', null, { name: 'word' })], checkpoint(1));
      expect(await found('plugins', {})).to.deep.equal(['p1']);
    });

    it('may be declared again, also with other indexes and texts, and keep their documents', async () => {
      await given(put('plugins', 'p1', 'acme', { name: 'x', tags: ['a'], labels: ['b'], title: 'word' }));
      await models().declare(first, [plugins, deployments]);
      expect(await found('plugins', { filter: { contains: ['tags', 'a'] } })).to.deep.equal(['p1']);
      const other: CollectionSpec = {
        name: 'plugins',
        visibility: 'tenant',
        indexes: [{ fields: ['title'] }, { fields: ['labels'], multi: true }],
        text: ['title'],
        textFilters: ['labels'],
      };
      await models().declare(first, [other, deployments]);
      expect(await found('plugins', { filter: { contains: ['labels', 'b'] } })).to.deep.equal(['p1']);
      expect(await found('plugins', { filter: { contains: ['tags', 'a'] } })).to.deep.equal(['p1']);
      const words = { scope: acme, words: ['word'], limit: 1 };
      for (const [label, expected] of [
        ['b', ['p1']],
        ['c', []],
      ] as const) {
        const filter = { contains: ['labels', label] } as const;
        expect(foundIds(await models().search('plugins', { ...words, filter }))).to.deep.equal(expected);
      }
      expect(await found('plugins', { scope: globex })).to.deep.equal([]);
      expect((await models().generations())[0]?.checkpoint).to.deep.equal(checkpoint(1));
    });

    it('begin again when a collection is added, since the log already told what belongs into it', async () => {
      await models().declare(first, [plugins]);
      await models().commit(first, [put('plugins', 'p1', null, {})], checkpoint(1));
      const changed: CollectionSpec = {
        ...plugins,
        indexes: [{ fields: ['labels'], multi: true }],
        text: ['title'],
      };
      await models().declare(first, [changed, deployments]);
      expect(await models().generations()).to.deep.equal([{ ...first, active: false, checkpoint: null }]);
      expect(await models().load(first, 'plugins', ['p1'])).to.deep.equal([]);
      await models().commit(
        first,
        [put('plugins', 'p2', null, { labels: ['a'], title: 'word' })],
        checkpoint(1),
      );
      await models().activate(first);
      expect(await found('plugins', { filter: { contains: ['labels', 'a'] } })).to.deep.equal(['p2']);
      const words = { scope: platform, words: ['word'], limit: 1 };
      expect(foundIds(await models().search('plugins', words))).to.deep.equal(['p2']);
    });

    it('of two projections share no collection', async () => {
      await given();
      await failure(models().declare({ projection: 'other', version: 1 }, [plugins]));
      expect(await models().generations()).to.have.length(1);
    });

    it('that nobody declared cannot be committed to, activated or declared wrongly', async () => {
      await failure(models().commit(first, [], checkpoint(1)));
      await failure(models().activate(first));
      await failure(models().declare(first, [{ ...plugins, name: 'Plug ins' }]));
      await failure(models().declare(first, [{ ...plugins, indexes: [{ fields: ['a b'] }] }]));
      expect(await models().generations()).to.deep.equal([]);
    });
  });
}
