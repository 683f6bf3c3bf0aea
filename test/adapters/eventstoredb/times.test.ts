import { expect } from 'chai';
import fc from 'fast-check';
import { openTimes, type TimedLog } from '../../../src/adapters/eventstoredb/times.ts';

const chunk = 1_000;

/** Places ascend with gaps; a record begins at every chunk that has any. */
const moments = fc
  .array(fc.record({ gap: fc.integer({ min: 1, max: 400 }), later: fc.nat(3) }), { maxLength: 60 })
  .map((steps) => {
    let [place, created] = [0, 100];
    return steps.map(({ gap, later }) => {
      const next = place + gap;
      const edge = Math.ceil((place + 1) / chunk) * chunk;
      place = next >= edge ? edge : next;
      created += later;
      return { place, created };
    });
  });

function logOf(
  records: readonly { place: number; created: number }[],
): TimedLog & { readonly walked: number } {
  let walked = 0;
  return {
    get walked() {
      return walked;
    },
    async recordsBehind(place, limit) {
      const found = records.filter((one) => one.place > place).slice(0, limit);
      walked += found.length;
      return found;
    },
    recordsDownFrom: async (_, limit) => records.toReversed().slice(0, limit),
    recordFrom: async (place) => {
      const next = records.find((one) => one.place >= place);
      // Where no record begins, the server answers with nothing.
      return next?.place === place ? next : null;
    },
  };
}

describe('the place in the log at a time', () => {
  for (const [what, size] of [
    ['with the size of the server’s files', chunk],
    ['with another size, of which no multiple begins a record', 999.5],
  ] as const)
    it(`is that of the last record stored by then, ${what}`, async () => {
      await fc.assert(
        fc.asyncProperty(moments, fc.array(fc.integer({ min: 90, max: 300 })), async (records, times) => {
          const found = openTimes(logOf(records), size);
          for (const at of times)
            expect(await found.placeAt(at)).to.equal(
              records.findLast(({ created }) => created <= at)?.place ?? 0,
            );
        }),
      );
    });

  it('is found by walking through one file, not through the log', async () => {
    const records = Array.from({ length: 100_000 }, (_, nth) => ({ place: (nth + 1) * 10, created: nth }));
    const log = logOf(records);
    expect(await openTimes(log, chunk).placeAt(61_234)).to.equal(612_350);
    expect(log.walked).to.be.lessThan(6_000);
  });
});
