import { expect } from 'chai';
import { createConsistency, NotThereYet } from '../../src/core/consistency.ts';
import type { Position } from '../../src/ports/event-store.ts';
import { failure } from '../support/failure.ts';

describe('consistency', () => {
  const at = (place: number) => `log:${place}` as Position;
  const placeOf = (position: Position) => Number(position.slice(4));
  let asked: { readonly position: Position; readonly timeoutMs: number }[];
  let stands: number;
  const consistency = () =>
    createConsistency({
      projector: {
        waitFor: async (_names, position, timeoutMs) => {
          asked.push({ position, timeoutMs });
          return placeOf(position) <= stands;
        },
      },
      compare: (a, b) => placeOf(a) - placeOf(b),
      principals: 2,
    });
  beforeEach(() => {
    asked = [];
    stands = 5;
  });

  it('waits 200 ms for what the principal reached last, and says when that was not enough', async () => {
    const waits = consistency();
    const question = { principal: 'usr_a', projections: 'all' } as const;
    expect(await waits.wait(question)).to.deep.equal({ stale: false });
    waits.reached('usr_a', at(5));
    waits.reached('usr_a', at(3));
    expect(await waits.wait(question)).to.deep.equal({ stale: false });
    stands = 4;
    expect(await waits.wait(question)).to.deep.equal({ stale: true });
    expect(await waits.wait({ ...question, principal: 'usr_b' })).to.deep.equal({ stale: false });
    expect(asked).to.deep.equal(Array(2).fill({ position: at(5), timeoutMs: 200 }));
  });

  it('waits 2 s for a position that was asked for, then says that it is not there yet', async () => {
    const waits = consistency();
    const question = { principal: 'usr_a', projections: ['plugins'] };
    expect(await waits.wait({ ...question, position: at(5) })).to.deep.equal({ stale: false });
    expect(await failure(waits.wait({ ...question, position: at(6) }))).to.be.instanceOf(NotThereYet);
    expect(asked.map(({ timeoutMs }) => timeoutMs)).to.deep.equal([2_000, 2_000]);
  });

  it('waits for where the log ends as it is asked, where other processes take commands too', async () => {
    let [head, heads] = [at(4), 0];
    const waits = createConsistency({
      projector: {
        waitFor: async (_names, position, timeoutMs) => {
          asked.push({ position, timeoutMs });
          return placeOf(position) <= stands;
        },
      },
      compare: (a, b) => placeOf(a) - placeOf(b),
      head: async () => {
        heads += 1;
        await new Promise(setImmediate);
        return head;
      },
    });
    const question = { principal: 'usr_a', projections: 'all' } as const;
    const first = waits.wait(question);
    // The log grows while it is asked: whoever asks then is told of it, and all of them at once.
    head = at(6);
    const others = Array.from({ length: 20 }, () => waits.wait(question));
    await first;
    for (const other of others) expect(await other).to.deep.equal({ stale: true });
    expect(heads).to.equal(2);
    expect(asked.slice(1)).to.deep.equal(Array(20).fill({ position: at(6), timeoutMs: 200 }));
  });

  it('remembers a bounded number of principals', async () => {
    const waits = consistency();
    for (const principal of ['a', 'b', 'c']) waits.reached(principal, at(9));
    expect(await waits.wait({ principal: 'a', projections: 'all' })).to.deep.equal({ stale: false });
    expect(await waits.wait({ principal: 'c', projections: 'all' })).to.deep.equal({ stale: true });
  });
});
