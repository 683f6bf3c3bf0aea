/** What every adapter of the ReadModels port must do. Adapters differ in how they are opened and in nothing below. */
import { expect } from 'chai';
import { StoreUnavailable } from '../../src/ports/event-store.ts';
import {
  BadCursor,
  UnanswerableQuery,
  type Filter,
  type Query,
  type ReadModels,
  type Write,
} from '../../src/ports/read-models.ts';
import { fencesContract } from './read-models-fences.ts';
import { generationsContract } from './read-models-generations.ts';
import { propertiesContract } from './read-models-properties.ts';
import {
  platform,
  acme,
  globex,
  plugins,
  deployments,
  first,
  checkpoint,
  put,
  foundIds,
  ids,
  failure,
} from './read-models-support.ts';

export interface ReadModelsUnderTest {
  readonly models: ReadModels;
  /** Closes, then opens what is stored once more. `models` is closed from then on. */
  reopen(): Promise<ReadModels>;
  /** Closes and removes. */
  dispose(): Promise<void>;
}

export function readModelsContract(name: string, open: () => Promise<ReadModelsUnderTest>): void {
  describe(`ReadModels: ${name}`, () => {
    let under: ReadModelsUnderTest;
    let models: ReadModels;
    beforeEach(async () => {
      under = await open();
      models = under.models;
    });
    afterEach(() => under.dispose());

    async function given(...writes: readonly Write[]): Promise<void> {
      await models.declare(first, [plugins, deployments]);
      await models.commit(first, writes, checkpoint(1));
      await models.activate(first);
    }

    async function found(collection: string, query: Partial<Query>): Promise<readonly string[]> {
      return ids((await models.find(collection, { scope: platform, limit: 100, ...query })).documents);
    }

    describe('documents', () => {
      it('are read as written, replaced as a whole, and deleted', async () => {
        const data = { name: 'Stripe', nested: { a: [1, 'two', null, true] }, text: 'é"\\\n' };
        await given(put('plugins', 'p1', 'acme', data), put('plugins', 'p2', null, {}));
        expect(await models.get('plugins', 'p1', platform)).to.deep.equal({ id: 'p1', tenant: 'acme', data });
        await models.commit(first, [put('plugins', 'p1', 'globex', { other: 1 })], checkpoint(2));
        expect(await models.get('plugins', 'p1', platform)).to.deep.equal({
          id: 'p1',
          tenant: 'globex',
          data: { other: 1 },
        });
        await models.commit(first, [{ delete: { collection: 'plugins', id: 'p1' } }], checkpoint(3));
        await models.commit(first, [{ delete: { collection: 'plugins', id: 'never was' } }], checkpoint(4));
        expect(await models.get('plugins', 'p1', platform)).to.equal(null);
        expect(await found('plugins', {})).to.deep.equal(['p2']);
      });

      it('of one commit are written in order', async () => {
        await given(
          put('plugins', 'p1', null, { n: 1 }),
          { delete: { collection: 'plugins', id: 'p1' } },
          put('plugins', 'p1', null, { n: 2 }),
        );
        expect((await models.get('plugins', 'p1', platform))?.data).to.deep.equal({ n: 2 });
      });

      it('of several are loaded by id, the missing ones absent', async () => {
        await given(put('plugins', 'p1', null, {}), put('plugins', 'p2', 'acme', {}));
        const loaded = await models.load(first, 'plugins', ['p2', 'nobody', 'p1']);
        expect(ids(loaded)).to.have.members(['p1', 'p2']).and.length(2);
        expect(await models.load(first, 'plugins', [])).to.deep.equal([]);
      });

      it('and the checkpoint survive closing and opening', async () => {
        await given(put('plugins', 'p1', null, { n: 1 }));
        models = await under.reopen();
        expect(await models.generations()).to.deep.equal([
          { ...first, active: true, checkpoint: checkpoint(1) },
        ]);
        expect((await models.get('plugins', 'p1', platform))?.data).to.deep.equal({ n: 1 });
      });

      it('of a commit that fails are not written, nor is its checkpoint', async () => {
        await given(put('plugins', 'p1', null, { n: 1 }));
        const writes = [put('plugins', 'p1', null, { n: 2 }), put('unknown', 'p1', null, {})];
        await failure(models.commit(first, writes, checkpoint(2)));
        expect((await models.get('plugins', 'p1', platform))?.data).to.deep.equal({ n: 1 });
        expect((await models.generations())[0]?.checkpoint).to.deep.equal(checkpoint(1));
        await models.commit(first, [put('plugins', 'p1', null, { n: 3 })], checkpoint(2));
        expect((await models.get('plugins', 'p1', platform))?.data).to.deep.equal({ n: 3 });
      });
    });

    describe('scopes', () => {
      it('show a tenant its own, all of a public collection, and the platform everything', async () => {
        await given(
          ...['plugins', 'deployments'].flatMap((collection) => [
            put(collection, 'ours', 'acme', { note: 'word', name: 'word' }),
            put(collection, 'theirs', 'globex', { note: 'word', name: 'word' }),
            put(collection, 'nobodys', null, { note: 'word', name: 'word' }),
          ]),
        );
        for (const everything of [platform, acme]) {
          expect(await found('plugins', { scope: everything })).to.deep.equal(['nobodys', 'ours', 'theirs']);
        }
        expect(await found('deployments', { scope: platform })).to.have.length(3);
        expect(await found('deployments', { scope: acme })).to.deep.equal(['ours']);
        expect(await models.get('deployments', 'theirs', acme)).to.equal(null);
        expect(await models.get('deployments', 'nobodys', acme)).to.equal(null);
        expect(await models.get('deployments', 'theirs', globex)).to.have.property('id', 'theirs');
        expect(await models.count('deployments', { scope: acme })).to.equal(1);
        const text = { words: ['word'], limit: 10 };
        expect(foundIds(await models.search('deployments', { ...text, scope: acme }))).to.deep.equal([
          'ours',
        ]);
        expect(foundIds(await models.search('plugins', { ...text, scope: acme }))).to.have.length(3);
      });
    });

    describe('pages', () => {
      const many = Array.from({ length: 25 }, (_, n) =>
        put('plugins', `p${String(n).padStart(2, '0')}`, null, { name: `name ${n % 3}`, n }),
      );
      const byName = { sort: [{ path: 'name', order: 'desc' }] } as const;

      it('by cursor neither repeat nor lose what was there, while others are written', async () => {
        await given(...many);
        const before = await found('plugins', byName);
        const seen: string[] = [];
        let cursor: string | undefined;
        for (let page = 0; page === 0 || cursor !== undefined; page++) {
          const query = { scope: platform, limit: 4, ...byName, ...(cursor !== undefined && { cursor }) };
          const answer = await models.find('plugins', query);
          seen.push(...ids(answer.documents));
          cursor = answer.cursor;
          const added = ['name 0', 'name 1', 'name 2'].map((name) =>
            put('plugins', `new ${name} ${page}`, null, { name }),
          );
          await models.commit(first, added, checkpoint(page + 2));
        }
        expect(seen.filter((id) => !id.startsWith('new'))).to.deep.equal(before);
        expect(new Set(seen).size).to.equal(seen.length);
      });

      it('have a cursor only when there may be more', async () => {
        await given(...many);
        expect(await models.find('plugins', { scope: platform, limit: 25 })).not.to.have.property('cursor');
        expect(await models.find('plugins', { scope: platform, limit: 24 })).to.have.property('cursor');
      });

      it('refuse cursors of another sort or filter, and texts that are none', async () => {
        await given(...many);
        const query = { scope: platform, limit: 4, ...byName };
        const { cursor } = await models.find('plugins', query);
        const attempts: readonly Query[] = [
          { scope: platform, limit: 4, cursor: cursor! },
          { ...query, filter: { equal: ['n', 1] }, cursor: cursor! },
          ...['', 'x', 'bnVsbA', 'WzFd', cursor!.slice(0, -9)].map((text) => ({
            ...query,
            cursor: text,
          })),
        ];
        for (const attempt of attempts) {
          expect(await failure(models.find('plugins', attempt)), attempt.cursor).to.be.instanceOf(BadCursor);
        }
      });

      it('refuse limits that are out of bounds, and an offset beside a cursor', async () => {
        await given(...many);
        const { cursor } = await models.find('plugins', { scope: platform, limit: 1 });
        const attempts = [
          { limit: 0 },
          { limit: 1001 },
          { limit: 1.5 },
          { limit: 1, offset: -1 },
          { limit: 1, offset: 1, cursor: cursor! },
        ];
        for (const attempt of attempts) {
          const error = await failure(models.find('plugins', { scope: platform, ...attempt }));
          expect(error).to.be.instanceOf(UnanswerableQuery);
        }
      });
    });

    describe('questions', () => {
      it('of an unknown collection or over something that is no path are unanswerable', async () => {
        await given();
        const query = { scope: platform, limit: 1 };
        expect(await failure(models.find('unknown', query))).to.be.instanceOf(UnanswerableQuery);
        expect(await failure(models.get('unknown', 'x', platform))).to.be.instanceOf(UnanswerableQuery);
        for (const path of ['', '.', 'a..b', "a'b", 'a"b', '$', 'a[0]', 'a) OR (1']) {
          for (const attempt of [
            models.find('plugins', { ...query, filter: { equal: [path, 1] } }),
            models.find('plugins', { ...query, sort: [{ path, order: 'asc' }] }),
            models.count('plugins', { scope: platform, filter: { contains: [path, 1] } }),
            models.facets('plugins', { ...query, path }),
          ]) {
            expect(await failure(attempt), path).to.be.instanceOf(UnanswerableQuery);
          }
        }
      });

      it('about facets count values and elements, most frequent first, limited', async () => {
        const tags = [['a', 'b', 'b'], ['a'], ['c', 'a'], 'c', [], null];
        await given(...tags.map((value, n) => put('plugins', `p${n}`, null, { tags: value })));
        const query = { scope: platform, path: 'tags', limit: 10 };
        expect(await models.facets('plugins', query)).to.deep.equal([
          { value: 'a', count: 3 },
          { value: 'c', count: 2 },
          { value: 'b', count: 1 },
        ]);
        expect(await models.facets('plugins', { ...query, limit: 1 })).to.have.length(1);
      });
    });

    describe('full text', () => {
      it('finds words, beginnings and typos, in all words asked for', async () => {
        await given(
          put('plugins', 'stripe', 'acme', {
            name: 'Stripe Payment Processor',
            description: 'Cards. Über alles',
          }),
          put('plugins', 'paypal', 'acme', { name: 'PayPal', description: 'Another payment' }),
        );
        const search = async (...words: readonly string[]): Promise<readonly string[]> =>
          foundIds(await models.search('plugins', { scope: platform, words, limit: 10 })).toSorted();
        expect(await search('payment')).to.deep.equal(['paypal', 'stripe']);
        expect(await search('payment', 'strip')).to.deep.equal(['stripe']);
        expect(await search('pay', 'paypla')).to.deep.equal(['paypal']);
        expect(await search('uber')).to.deep.equal(['stripe']);
        expect(await search('and', 'payment')).to.deep.equal([]);
        expect(await search('"', '*')).to.deep.equal([]);
        expect(await search()).to.deep.equal([]);
      });

      it('has titles before the rest, what was typed before beginnings and typos, and short titles first', async () => {
        const rest = Array.from({ length: 300 }, (_, n) =>
          put('plugins', `d${n}`, null, { name: 'Other', description: 'payment in short' }),
        );
        await given(
          ...rest,
          put('plugins', 'typo', null, { name: 'Paymant' }),
          put('plugins', 'longer', null, { name: 'Payment gateways and more' }),
          put('plugins', 'beginning', null, { name: 'Payments', description: 'payment' }),
          put('plugins', 'named', null, { name: 'Payment' }),
        );
        const text = { scope: platform, words: ['payment'], limit: 5 };
        const { found, total } = await models.search('plugins', text);
        expect(found.map(({ document, match }) => ({ id: document.id, ...match }))).to.deep.equal([
          { id: 'named', place: 'title', likeness: 'exact', length: 1 },
          { id: 'longer', place: 'title', likeness: 'exact', length: 4 },
          { id: 'beginning', place: 'title', likeness: 'prefix', length: 1 },
          { id: 'typo', place: 'title', likeness: 'typo', length: 1 },
          { id: 'd0', place: 'elsewhere', likeness: 'exact' },
        ]);
        expect(total).to.equal(304);
      });

      it('finds, counts and pages no more than a thousand', async () => {
        await given(
          ...Array.from({ length: 1_500 }, (_, n) =>
            put('plugins', `d${n}`, null, { name: 'Payment', n: n % 2, tags: [`t${n % 3}`] }),
          ),
          put('plugins', 'best', null, { name: 'Pay' }),
        );
        const page = (limit: number, offset: number, filter?: Filter) =>
          models.search('plugins', {
            ...{ scope: platform, words: ['pay'], limit, offset },
            ...(filter && { filter }),
          });
        const whole = await page(1_000, 0);
        expect(whole.total).to.equal(1_000);
        expect(foundIds(whole)[0]).to.equal('best');
        expect(new Set(foundIds(whole)).size).to.equal(1_000);
        for (const [limit, offset] of [
          [1, 0],
          [7, 3],
          [100, 950],
          [1_000, 999],
          [10, 1_000],
          [10, Number.MAX_SAFE_INTEGER - 10],
        ] as const)
          expect(foundIds(await page(limit, offset)), `${offset}`).to.deep.equal(
            foundIds(whole).slice(offset, offset + limit),
          );
        const odd = { equal: ['n', 1] } as const;
        expect((await page(1, 0, odd)).total).to.equal(750);
        expect((await page(1, 0, { and: [odd, { contains: ['tags', 't1'] }] })).total).to.equal(250);
        for (const [limit, offset] of [
          [0, 0],
          [1_001, 0],
          [1, -1],
          [1, 0.5],
        ] as const)
          expect(await failure(page(limit, offset))).to.be.instanceOf(UnanswerableQuery);
      });

      it('follows long beginnings into many words', async () => {
        await given(
          ...Array.from({ length: 100 }, (_, n) => put('plugins', `d${n}`, null, { name: `Payment${n}` })),
          put('plugins', 'other', null, { name: 'Paypal' }),
        );
        const beginning = async (...words: readonly string[]) =>
          (await models.search('plugins', { scope: platform, words, limit: 1_000 })).found.filter(
            ({ match }) => match.likeness !== 'typo',
          ).length;
        expect(await beginning('payment')).to.equal(100);
        expect(await beginning('payment9')).to.equal(11);
        expect(await beginning('paym')).to.equal(100);
        expect(await beginning('pay')).to.equal(101);
        expect(await beginning('pay', 'paymen')).to.equal(100);
      });

      it('follows changes and deletions, and filters', async () => {
        await given(
          put('plugins', 'p1', null, { name: 'Alpha' }),
          put('plugins', 'p2', null, { name: 'Alpha', n: 2 }),
        );
        const search = async (word: string): Promise<readonly string[]> =>
          foundIds(await models.search('plugins', { scope: platform, words: [word], limit: 10 }));
        await models.commit(first, [put('plugins', 'p1', null, { name: 'Beta' })], checkpoint(2));
        expect(await search('alpha')).to.deep.equal(['p2']);
        expect(await search('beta')).to.deep.equal(['p1']);
        const filtered = {
          scope: platform,
          words: ['alpha'],
          limit: 10,
          filter: { equal: ['n', 3] },
        } as const;
        const second = { ...filtered, filter: { equal: ['n', 2] } } as const;
        expect(foundIds(await models.search('plugins', second))).to.deep.equal(['p2']);
        await models.commit(first, [put('plugins', 'p2', null, { name: 'Alpha', n: 4 })], checkpoint(2));
        expect(foundIds(await models.search('plugins', second))).to.deep.equal([]);
        expect(await models.search('plugins', filtered)).to.deep.equal({ found: [], total: 0 });
        await models.commit(first, [{ delete: { collection: 'plugins', id: 'p1' } }], checkpoint(3));
        expect(await search('beta')).to.deep.equal([]);
      });
    });

    generationsContract(() => models);
    fencesContract(() => models);
    propertiesContract(() => models);

    it('closes twice, and is unavailable afterwards', async () => {
      await given();
      await models.close();
      await models.close();
      for (const attempt of [
        models.commit(first, [], checkpoint(2)),
        models.get('plugins', 'p1', platform),
        models.find('plugins', { scope: platform, limit: 1 }),
        models.search('plugins', { scope: platform, words: ['a'], limit: 1 }),
      ]) {
        expect(await failure(attempt)).to.be.instanceOf(StoreUnavailable);
      }
    });
  });
}
