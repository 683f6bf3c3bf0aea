import { expect } from 'chai';
import fc from 'fast-check';
import { firstRevision, settle } from '../../../src/adapters/eventstoredb/settling.ts';

const ids = ['a', 'b', 'c'];
const found = (...of: readonly [string, number][]) => of.map(([id, revision]) => ({ id, revision }));

describe('an append whose answer was lost', () => {
  for (const [what, there, last, kind] of [
    ['all of it stands where it was sent to', found(['a', 5], ['b', 6], ['c', 7]), 7, 'appended'],
    ['and the stream has gone on', found(['a', 5], ['b', 6], ['c', 7]), 20, 'appended'],
    ['retention hides its first events', found(['c', 7]), 7, 'appended'],
    ['retention hides all of it', [], 9, 'hidden'],
    ['retention hides its last events only', found(['a', 5]), 9, 'hidden'],
    ['the stream has not come so far', [], 4, 'absent'],
    ['another append stands there', found(['x', 5], ['y', 6]), 6, 'taken'],
    ['another append begins with the same event', found(['a', 5]), 5, 'taken'],
    ['another append goes on differently', found(['a', 5], ['b', 6], ['x', 7]), 7, 'taken'],
    ['another append has the same events in another order', found(['b', 5], ['a', 6], ['c', 7]), 7, 'taken'],
  ] as const)
    it(`is ${kind}: ${what}`, () => {
      expect(settle(4, ids, there, last).kind).to.equal(kind);
    });

  it('is absent from a stream that never was, and stands at its beginning', () => {
    expect(settle('none', ids, [], -1)).to.eql({ kind: 'absent' });
    expect(settle('none', ids, found(['a', 0], ['b', 1], ['c', 2]), 2)).to.eql({
      kind: 'appended',
      revision: 2,
    });
  });

  it('is never taken for written where a foreign event is seen in its place', () => {
    const some = fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(some, fc.nat(10), fc.nat(4), (own, expected, nth) => {
        const first = firstRevision(expected);
        const written = own.map((id, i) => ({ id, revision: first + i }));
        expect(settle(expected, own, written, first + own.length - 1).kind).to.equal('appended');
        const foreign = written.map((one, i) => (i === nth % own.length ? { ...one, id: 'other' } : one));
        expect(settle(expected, own, foreign, first + own.length + 3).kind).to.equal('taken');
      }),
    );
  });
});
