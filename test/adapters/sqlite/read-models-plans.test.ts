import { expect } from 'chai';
import { DatabaseSync } from 'node:sqlite';
import { where } from '../../../src/adapters/sqlite/read-models-filter.ts';
import { encodeCursor } from '../../../src/adapters/read-models/query.ts';
import { pageStatements } from '../../../src/adapters/sqlite/read-models-page.ts';
import { createMeta, documentsTable, type Table } from '../../../src/adapters/sqlite/read-models-schema.ts';
import { writing } from '../../../src/adapters/sqlite/read-models-writing.ts';
import type { Position } from '../../../src/ports/event-store.ts';
import type { CollectionSpec, Filter, Query, Scope } from '../../../src/ports/read-models.ts';

const platform: Scope = { kind: 'platform' };
const acme: Scope = { kind: 'tenant', tenant: 'acme' };
const indexes = [
  { fields: ['status', 'at'] },
  { fields: ['at'] },
  { fields: ['nested.flag'] },
  { fields: ['tags'], multi: true },
] as const;
const own: CollectionSpec = { name: 'own', visibility: 'tenant', indexes, text: [] };
const open: CollectionSpec = { name: 'open', visibility: 'public', indexes, text: [] };

const covering: CollectionSpec = {
  name: 'covering',
  visibility: 'public',
  indexes: [{ fields: ['status', 'nested.flag', 'at'], covers: ['nested.flag', 'kind'] }],
  text: [],
};

describe('the plans of SQLite queries', () => {
  const db = new DatabaseSync(':memory:');
  const tables: Record<string, Table> = {};

  before(() => {
    createMeta(db);
    const writer = writing(db);
    const generation = { projection: 'plans', version: 1 };
    for (const { number, spec } of writer.declare(generation, [own, open, covering]))
      tables[spec.name] = { number, spec };
    const writes = Array.from({ length: 3000 }, (_, n) => {
      const data = { status: `s${n % 4}`, at: n, nested: { flag: n % 2 === 0 }, tags: [`t${n % 50}`] };
      return { id: `d${n}`, tenant: n % 10 === 0 ? 'acme' : 'globex', data };
    }).flatMap((document) =>
      ['own', 'open', 'covering'].map((collection) => ({ put: { collection, document } })),
    );
    writer.commit(generation, writes, { position: 'log:1' as Position, eventId: null });
  });
  after(() => db.close());

  function plansOf(name: string, query: Omit<Query, 'limit'>): readonly string[] {
    return pageStatements(tables[name]!, { limit: 20, ...query }).map(({ text, values }) => {
      const steps = db.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...values, 21);
      return steps.map((step) => String(step['detail'])).join('; ');
    });
  }

  const listed: Filter = { equal: ['status', 's1'] };
  const covered: Readonly<Record<string, Filter>> = {
    'whether a field of the index is false': { equal: ['nested.flag', false] },
    'what the index only covers': { equal: ['kind', 'big'] },
    'a value whose type has a say': { equal: ['kind', 1] },
  };
  for (const [what, filter] of Object.entries(covered))
    it(`count in the index alone, by ${what}`, () => {
      const table = tables['covering']!;
      const asked = where(table, { scope: platform, filter: { and: [listed, filter] } });
      const text = `SELECT count(*) FROM ${documentsTable(table.number)} AS docs WHERE ${asked.text}`;
      const steps = db.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...asked.values);
      expect(steps.map((step) => String(step['detail'])).join('; ')).to.match(
        /^SEARCH docs USING COVERING INDEX/,
      );
    });

  it('sort nothing by what the filter leaves only one value of', () => {
    const sort = ['nested.flag', 'at'].map((path) => ({ path, order: 'desc' }) as const);
    const query = {
      scope: platform,
      sort,
      filter: { and: [listed, { equal: ['nested.flag', false] as const }] },
    };
    const last = { id: 'd5', tenant: 'acme', data: { status: 's1', at: 5, nested: { flag: false } } };
    const cursor = encodeCursor({ ...query, limit: 20 }, last);
    for (const plan of [...plansOf('covering', query), ...plansOf('covering', { ...query, cursor })])
      expect(plan)
        .to.match(/USING INDEX/)
        .and.not.match(/TEMP B-TREE/);
  });

  const filters: Readonly<Record<string, Filter>> = {
    equal: { equal: ['status', 's1'] },
    in: { in: ['status', ['s1', 's2']] },
    range: { range: ['at', { gte: 10, lt: 20 }] },
    boolean: { equal: ['nested.flag', true] },
    contains: { contains: ['tags', 't3'] },
    both: { and: [{ equal: ['status', 's1'] }, { range: ['at', { gt: 5 }] }] },
    or: { or: [{ equal: ['status', 's1'] }, { equal: ['at', 5] }] },
  };
  const shown: readonly (readonly [name: string, scope: Scope])[] = [
    ['own', platform],
    ['own', acme],
    ['open', platform],
    ['open', acme],
  ];
  for (const [name, scope] of shown) {
    for (const [kind, filter] of Object.entries(filters)) {
      it(`search an index for ${kind} in the ${scope.kind}'s scope of a collection that is ${name}`, () => {
        const asked = where(tables[name]!, { scope, filter });
        const text = `SELECT count(*) FROM ${documentsTable(tables[name]!.number)} AS docs WHERE ${asked.text}`;
        const steps = db.prepare(`EXPLAIN QUERY PLAN ${text}`).all(...asked.values);
        const plan = steps.map((step) => String(step['detail'])).join('; ');
        expect(plan)
          .to.match(/SEARCH/)
          .and.not.match(/SCAN docs/);
      });
    }

    it(`sort by an index in the ${scope.kind}'s scope of a collection that is ${name}, also after a cursor`, () => {
      for (const order of ['asc', 'desc'] as const) {
        const queries: readonly Query[] = [
          { scope, limit: 20, sort: [{ path: 'at', order }] },
          { scope, limit: 20, sort: [{ path: 'at', order }], filter: { equal: ['status', 's1'] } },
          {
            scope,
            limit: 20,
            sort: [
              { path: 'status', order },
              { path: 'at', order },
            ],
          },
          { scope, limit: 20 },
        ];
        for (const query of queries) {
          const last = { id: 'd5', tenant: 'acme', data: { status: 's1', at: 5 } };
          const pages = [
            ...plansOf(name, query),
            ...plansOf(name, { ...query, cursor: encodeCursor(query, last) }),
          ];
          for (const plan of pages) {
            expect(plan).to.match(/USING INDEX/);
            expect(plan).not.to.match(/TEMP B-TREE/);
          }
        }
      }
    });
  }
});
