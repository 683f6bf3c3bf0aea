/** Elements that many documents have are asked for in another way than those that few have, and counted in a third. */
import { DatabaseSync } from 'node:sqlite';
import { expect } from 'chai';
import fc from 'fast-check';
import { countStatement, isCommon } from '../../../src/adapters/sqlite/read-models-elements.ts';
import { type IsCommon, type Sql, where } from '../../../src/adapters/sqlite/read-models-filter.ts';
import { pageStatements } from '../../../src/adapters/sqlite/read-models-page.ts';
import { createMeta, documentsTable, type Table } from '../../../src/adapters/sqlite/read-models-schema.ts';
import { keepStatements } from '../../../src/adapters/sqlite/read-models-statements.ts';
import { type Writing, writing } from '../../../src/adapters/sqlite/read-models-writing.ts';
import type { Position } from '../../../src/ports/event-store.ts';
import type { CollectionSpec, Document, Filter, Query, Scope } from '../../../src/ports/read-models.ts';
import * as any from '../../contract/read-models-arbitraries.ts';

const generation = { projection: 'elements', version: 1 };
const checkpoint = { position: 'log:1' as Position, eventId: null };
const platform: Scope = { kind: 'platform' };

describe('elements of arrays in SQLite', () => {
  const db = new DatabaseSync(':memory:');
  let write: Writing;
  let tables: readonly Table[] = [];

  function declare(specs: readonly CollectionSpec[]): void {
    tables = write.declare(generation, specs);
    write.reset(generation);
  }
  const fill = (documents: readonly Document[]): void => {
    const puts = tables.flatMap(({ spec }) =>
      documents.map((document) => ({ put: { collection: spec.name, document } })),
    );
    write.commit(generation, puts, checkpoint);
  };
  const idsOf = (statements: readonly Sql[]): readonly unknown[] =>
    statements.flatMap(({ text, values }) =>
      db
        .prepare(text)
        .all(...values, 1_000)
        .map((row) => row['id']),
    );
  const planOf = ({ text, values }: Sql, ...more: readonly number[]): string =>
    db
      .prepare(`EXPLAIN QUERY PLAN ${text}`)
      .all(...values, ...more)
      .map((step) => String(step['detail']))
      .join('; ');

  before(() => {
    createMeta(db);
    write = writing(db);
  });
  after(() => db.close());

  it('are found and counted alike, however they are asked for', () => {
    declare(any.specs());
    fc.assert(
      fc.property(any.documents, any.filter, any.sort, any.scope, (documents, filter, sort, scope) => {
        write.reset(generation);
        fill(documents);
        for (const table of tables) {
          const query: Query = { scope, filter, sort, limit: 1_000 };
          const asked = (common: IsCommon): readonly unknown[] => idsOf(pageStatements(table, query, common));
          expect(asked(() => true)).to.deep.equal(asked(() => false));
          const all = where(table, query);
          const rows = `SELECT id FROM ${documentsTable(table.number)} AS docs WHERE ${all.text}`;
          const count = db.prepare(rows).all(...all.values).length;
          for (const common of [() => true, () => false]) {
            const { text, values } = countStatement(table, query, common);
            expect(db.prepare(text).get(...values)).to.deep.include({ count });
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  describe('of many documents', () => {
    const contains = (element: string): Filter => ({ contains: ['tags', element] });
    const newest = [{ path: 'at', order: 'desc' }] as const;
    before(() => {
      const indexes = [{ fields: ['at'] }, { fields: ['tags'], multi: true as const }];
      declare([{ name: 'tagged', visibility: 'public', indexes, text: [] }]);
      fill(
        Array.from({ length: 2_500 }, (_, n) => ({
          ...{ id: `d${n}`, tenant: null },
          data: { at: n, tags: ['all', n % 2 === 0 ? 'even' : 'odd', ...(n < 2_001 ? ['most'] : [])] },
        })),
      );
    });

    it('are common beyond two thousand', () => {
      const common = isCommon(keepStatements(db), tables[0]!);
      const told = ['all', 'most', 'even', 'none'].map((element) => common({ contains: ['tags', element] }));
      expect(told).to.deep.equal([true, true, false, false]);
    });

    it('are looked for in the order of the answer, when they are common', () => {
      const query = { scope: platform, filter: contains('all'), sort: newest, limit: 20 };
      const [statement] = pageStatements(tables[0]!, query, isCommon(keepStatements(db), tables[0]!));
      expect(planOf(statement!, 21))
        .to.match(/^SCAN docs USING INDEX/)
        .and.not.match(/TEMP B-TREE/);
      const [rare] = pageStatements(tables[0]!, { ...query, filter: contains('even') });
      expect(planOf(rare!, 21)).to.match(/^SEARCH docs USING INTEGER PRIMARY KEY/);
    });

    it('lead to their documents when they are few', () => {
      const filter: Filter = { and: [{ range: ['at', { gte: 1_000 }] }, contains('even')] };
      const statement = countStatement(tables[0]!, { scope: platform, filter }, () => false);
      expect(planOf(statement)).to.match(
        /^SEARCH led USING PRIMARY KEY.*SEARCH docs USING INTEGER PRIMARY KEY/,
      );
      expect(db.prepare(statement.text).get(...statement.values)).to.deep.include({ count: 750 });
    });

    it('are counted without their documents', () => {
      for (const [filter, count] of [
        [contains('most'), 2_001],
        [{ and: [contains('all'), contains('odd')] }, 1_250],
        [{ and: [contains('most'), contains('odd'), contains('even')] }, 0],
      ] as const) {
        const statement = countStatement(tables[0]!, { scope: platform, filter }, () => true);
        expect(planOf(statement)).not.to.match(/documents|docs/);
        expect(db.prepare(statement.text).get(...statement.values)).to.deep.include({ count });
      }
    });
  });
});
