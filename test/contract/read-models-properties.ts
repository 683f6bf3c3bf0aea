/** The part of the ReadModels contract that compares random questions with a plain list. */
import { expect } from 'chai';
import fc from 'fast-check';
import type { JsonObject } from '../../src/ports/event-store.ts';
import type { Document, Query, ReadModels, Write } from '../../src/ports/read-models.ts';
import { documents, filter, scope, sort, specs, typed } from './read-models-arbitraries.ts';
import { compareMatches, facetsOf, matches, matchOf, sees, sorted } from './read-models-reference.ts';
import { checkpoint } from './read-models-support.ts';

export function propertiesContract(models: () => ReadModels): void {
  describe('any question over any documents', () => {
    const generation = { projection: 'things', version: 1 };
    const collections = specs();

    async function stored(things: readonly Document[]): Promise<void> {
      await models().reset(generation);
      const writes = collections.flatMap(({ name }) =>
        things.map((document): Write => ({ put: { collection: name, document } })),
      );
      await models().commit(generation, writes, checkpoint(1));
    }

    beforeEach(async () => {
      await models().declare(generation, collections);
      await models().activate(generation);
    });

    it('is answered as by a plain list, page by page, within its scope', async () => {
      const question = fc.record({ scope, filter, sort, limit: fc.integer({ min: 1, max: 12 }) });
      const questions = fc.array(question, { minLength: 4, maxLength: 8 });
      await fc.assert(
        fc.asyncProperty(documents, questions, async (things, asked) => {
          await stored(things);
          for (const spec of collections) {
            for (const query of asked) {
              for (const thing of things.slice(0, 3)) {
                const seen = sees(spec, query.scope, thing) ? thing : null;
                expect(await models().get(spec.name, thing.id, query.scope)).to.deep.equal(seen);
              }
              const right = sorted(
                things.filter((thing) => sees(spec, query.scope, thing) && matches(thing.data, query.filter)),
                query.sort,
              );
              expect(await allPages(spec.name, query)).to.deep.equal(right);
              const second = { ...query, offset: query.limit };
              const page = right.slice(query.limit, 2 * query.limit);
              expect((await models().find(spec.name, second)).documents).to.deep.equal(page);
              expect(await models().count(spec.name, query)).to.equal(right.length);
              for (const path of ['tags', 'status', 'flag', 'n']) {
                const facets = await models().facets(spec.name, { ...query, path, limit: 1000 });
                const counted = facets.map(({ value, count }) => JSON.stringify([value, count]));
                const entries = [...facetsOf(right, path)].map((entry) => JSON.stringify(entry));
                expect(counted).to.have.members(entries);
                expect(facets).to.deep.equal(facets.toSorted((a, b) => b.count - a.count));
              }
            }
          }
        }),
        { numRuns: 40 },
      );
    });

    it('of words is answered as by a plain list, the best first, page by page', async () => {
      const question = fc.record({
        ...{ scope, words: typed, filter: fc.option(filter, { nil: null }) },
        ...{ limit: fc.integer({ min: 1, max: 5 }), offset: fc.integer({ min: 0, max: 9 }) },
      });
      await fc.assert(
        fc.asyncProperty(
          documents,
          fc.array(question, { minLength: 4, maxLength: 8 }),
          async (things, asked) => {
            await stored(things);
            for (const spec of collections) {
              for (const { filter: wanted, limit, offset, ...words } of asked) {
                const query = { ...words, ...(wanted && { filter: wanted }) };
                const right = things
                  .filter((thing) => sees(spec, query.scope, thing) && matches(thing.data, query.filter))
                  .map((document) => ({ document, match: matchOf(spec, document.data, query.words) }))
                  .filter(({ match }) => match !== null);
                const { found, total } = await models().search<JsonObject>(spec.name, {
                  ...query,
                  limit: 1000,
                });
                expect(total).to.equal(right.length);
                expect(found).to.have.deep.members(right);
                const order = found.map(({ match }) => match);
                expect(order).to.deep.equal(order.toSorted(compareMatches));
                const page = await models().search<JsonObject>(spec.name, { ...query, limit, offset });
                expect(page).to.deep.equal({ found: found.slice(offset, offset + limit), total });
              }
            }
          },
        ),
        { numRuns: 40 },
      );
    });

    async function allPages(collection: string, query: Query): Promise<readonly Document[]> {
      const all: Document[] = [];
      let cursor: string | undefined;
      do {
        const page = await models().find<JsonObject>(collection, {
          ...query,
          ...(cursor !== undefined && { cursor }),
        });
        expect(page.documents.length).to.be.at.most(query.limit);
        all.push(...page.documents);
        cursor = page.cursor;
      } while (cursor !== undefined);
      return all;
    }
  });
}
