import { expect } from 'chai';
import fc from 'fast-check';
import { createGate, TooBusy } from '../../src/core/gate.ts';
import { rejection } from '../support/rejection.ts';

describe('a gate', () => {
  it('lets a few work at once, makes some wait in order, and refuses the rest', async () => {
    const gate = createGate({ atOnce: 2, waiting: 3 });
    const work = Array.from({ length: 5 }, () => Promise.withResolvers<undefined>());
    const started: number[] = [];
    const done = work.map(({ promise }, index) =>
      gate(() => {
        started.push(index);
        return promise;
      }),
    );
    expect(await rejection(gate(async () => undefined))).to.be.instanceOf(TooBusy);
    expect(started).to.deep.equal([0, 1]);
    work[1]!.resolve(undefined);
    await done[1];
    work.forEach(({ resolve }) => resolve(undefined));
    await Promise.all(done);
    expect(started).to.deep.equal([0, 1, 2, 3, 4]);
  });

  it('is free again after work that failed, and never lets more work than allowed', async () => {
    const property = fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 3 }),
      fc.array(fc.boolean(), { maxLength: 20 }),
      async (scheduler, atOnce, fates) => {
        const gate = createGate({ atOnce, waiting: 100 });
        let working = 0;
        let most = 0;
        const all = fates.map((fails, index) =>
          gate(async () => {
            most = Math.max(most, (working += 1));
            await scheduler.schedule(Promise.resolve(), String(index));
            working -= 1;
            if (fails) throw new Error('failed');
          }).catch(() => undefined),
        );
        await scheduler.waitFor(Promise.all(all));
        expect(working).to.equal(0);
        expect(most).to.be.at.most(atOnce);
        await gate(async () => undefined);
      },
    );
    await fc.assert(property, { numRuns: 50 });
  });
});
