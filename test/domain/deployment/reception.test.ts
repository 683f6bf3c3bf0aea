import { expect } from 'chai';
import fc from 'fast-check';
import { foldReports, InstanceId, noEvidence, type Report } from '../../../src/domain/deployment/evidence.ts';
import { receive } from '../../../src/domain/deployment/reception.ts';

const of = (instance: string, sequence: number, outcome: Report['outcome'] = 'pass'): Report => ({
  ...{ instance, sequence, outcome, latencyMs: null, replaces: null },
});
const known = (...reports: readonly Report[]) => foldReports(noEvidence, { epoch: 1, reports }, null);
const taken = (
  evidence: Parameters<typeof receive>[0],
  reports: readonly Report[],
  others = [noEvidence],
) => {
  const { accepted, duplicates, refused, nextSequences } = receive(evidence, others, { epoch: 1, reports });
  return {
    ...{ accepted: accepted.map(({ sequence }) => sequence), duplicates },
    ...{ refused: refused.map(({ sequence }) => sequence), nextSequences },
  };
};

describe('a batch from an agent', () => {
  const nothing = { accepted: [], duplicates: 0, refused: [], nextSequences: {} };

  it('is taken as far as it is new', () => {
    const before = known(of('a', 0), of('a', 2));
    expect(taken(before, [of('a', 1), of('a', 2), of('a', 3), of('a', 3)])).to.deep.equal({
      ...{ ...nothing, accepted: [1, 3], duplicates: 2 },
    });
  });

  it('may begin with any number, and leave out as many as are remembered of an instance', () => {
    expect(taken(noEvidence, [of('a', 1_000)])).to.deep.equal({ ...nothing, accepted: [1_000] });
    const before = known(of('a', 10));
    expect(taken(before, [of('a', 58)])).to.deep.equal({ ...nothing, accepted: [58] });
    expect(taken(before, [of('a', 59)])).to.deep.equal({
      ...{ ...nothing, refused: [59], nextSequences: { a: 11 } },
    });
    expect(taken(before, [of('a', 100), of('a', 50)]), 'in the order of the numbers').to.deep.equal({
      ...{ ...nothing, accepted: [50], refused: [100], nextSequences: { a: 51 } },
    });
  });

  it('that lies behind is told where to go on', () => {
    const before = known(...Array.from({ length: 60 }, (_, sequence) => of('a', sequence)));
    expect(taken(before, [of('a', 3)])).to.deep.equal({
      ...{ ...nothing, duplicates: 1, nextSequences: { a: 60 } },
    });
  });

  it('does not move an instance from one deployment to another', () => {
    const others = [known(of('old', 7))];
    expect(taken(noEvidence, [of('old', 8), of('new', 0)], others)).to.deep.include({
      ...{ accepted: [0], refused: [8] },
    });
    expect(taken(known(of('both', 1)), [of('both', 2)], [known(of('both', 1))])).to.deep.include({
      accepted: [2],
    });
  });

  it('comes to the same in whatever order and number it arrives, as long as it keeps to its numbers', () => {
    const reports = Array.from({ length: 40 }, (_, sequence) =>
      of('a', sequence, sequence % 3 ? 'pass' : 'fail'),
    );
    const whole = known(...reports);
    const shuffled = fc.shuffledSubarray([...reports, ...reports], { minLength: 80, maxLength: 80 });
    fc.assert(
      fc.property(shuffled, fc.integer({ min: 1, max: 20 }), (all, size) => {
        let evidence = noEvidence;
        for (let from = 0; from < all.length; from += size) {
          const batch = { epoch: 1, reports: all.slice(from, from + size) };
          const { accepted, duplicates, refused } = receive(evidence, [], batch);
          expect(accepted.length + duplicates + refused.length).to.equal(batch.reports.length);
          evidence = foldReports(evidence, { epoch: 1, reports: accepted }, null);
        }
        expect(evidence).to.deep.equal(whole);
      }),
    );
  });

  it('names instances by no word that every object knows', () => {
    for (const id of ['constructor', 'toString', '__proto__', 'hasOwnProperty'])
      expect(InstanceId.safeParse(id).success, id).to.equal(false);
    expect(InstanceId.safeParse('inst-1').success).to.equal(true);
  });
});
