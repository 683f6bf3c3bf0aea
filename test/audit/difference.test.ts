import { expect } from 'chai';
import fc from 'fast-check';
import { asJson, type Change, differences } from '../../src/audit/difference.ts';
import type { Json } from '../../src/ports/event-store.ts';

describe('the difference of two states', () => {
  for (const [what, before, after, changes] of [
    ['a member that changed', { a: 1, b: 2 }, { a: 1, b: 3 }, [{ field: 'b', before: 2, after: 3 }]],
    [
      'a member deep inside',
      { a: { b: { c: 1 } } },
      { a: { b: { c: 2 } } },
      [{ field: 'a.b.c', before: 1, after: 2 }],
    ],
    [
      'what is new as one change',
      { a: null },
      { a: null, b: { c: 1, d: 2 } },
      [{ field: 'b', after: { c: 1, d: 2 } }],
    ],
    ['what is gone', { a: 1, b: [1] }, { a: 1 }, [{ field: 'b', before: [1] }]],
    [
      'an element of a list of objects',
      { v: [{ s: 1 }, { s: 2 }] },
      { v: [{ s: 1 }, { s: 3 }] },
      [{ field: 'v[1].s', before: 2, after: 3 }],
    ],
    [
      'a list of scalars as a whole',
      { t: ['a'] },
      { t: ['a', 'b'] },
      [{ field: 't', before: ['a'], after: ['a', 'b'] }],
    ],
    [
      'every member of what was not there before',
      null,
      { a: 1, b: null },
      [
        { field: 'a', after: 1 },
        { field: 'b', after: null },
      ],
    ],
    ['what is no object', null, 'acme', [{ field: '', before: null, after: 'acme' }]],
    ['nothing where nothing changed', { a: [{ b: 1 }] }, { a: [{ b: 1 }] }, []],
    [
      'a member called as those of every object',
      {},
      { constructor: 1 },
      [{ field: 'constructor', after: 1 }],
    ],
  ] satisfies (readonly [string, Json, Json, readonly Change[]])[])
    it(`names ${what}`, () => expect(differences(before, after)).to.eql(changes));

  it('is nothing exactly where both are the same', () => {
    const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
    fc.assert(
      fc.property(json, json, (a, b) => {
        expect(differences(a, a)).to.eql([]);
        const same = JSON.stringify(a) === JSON.stringify(b);
        if (!same && differences(a, b).length === 0) expect(a ?? {}).to.eql(b ?? {});
      }),
      { numRuns: 500 },
    );
  });

  it('stays short, however much has changed', () => {
    const many = Object.fromEntries(
      Array.from({ length: 50 }, (_, i) => [
        `m${i}`,
        Object.fromEntries(Array.from({ length: 50 }, (_, j) => [`n${j}`, 0])),
      ]),
    );
    const other = JSON.parse(JSON.stringify(many).replaceAll(':0', ':1')) as Json;
    expect(differences(many, other).length).to.be.within(200, 300);
  });

  it('reads maps and sets as what they hold', () => {
    expect(asJson({ counted: new Set(['a']), of: new Map([['b', 1]]), none: undefined })).to.eql({
      counted: ['a'],
      of: { b: 1 },
    });
  });
});
