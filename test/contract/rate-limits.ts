/** What every {@link RateLimits} owes. An adapter's test calls {@link describeRateLimits} with a way to open one. */
import { expect } from 'chai';
import fc from 'fast-check';
import type { Clock } from '../../src/ports/clock.ts';
import type { RateLimits } from '../../src/ports/rate-limits.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';

export function describeRateLimits(name: string, open: (clock: Clock) => Promise<RateLimits>): void {
  describe(`RateLimits contract: ${name}`, () => {
    let clock: VirtualClock;
    let limits: RateLimits;
    const limit = { points: 3, seconds: 60 };
    const consume = (key: string) => limits.consume(key, 1, limit);
    const allowed = async (key: string) => (await consume(key)).allowed;

    beforeEach(async () => {
      clock = createVirtualClock();
      limits = await open(clock);
    });
    afterEach(() => limits.close());

    it('counts down to nothing, then refuses until the window ends', async () => {
      const start = clock.now();
      const answers = [];
      for (let request = 1; request <= 5; request += 1) {
        answers.push(await consume('anna'));
        await clock.advance(10_000);
      }
      const window = { limit: 3, resetAt: start + 60_000 };
      expect(answers).to.deep.equal([
        { ...window, remaining: 2, allowed: true },
        { ...window, remaining: 1, allowed: true },
        { ...window, remaining: 0, allowed: true },
        { ...window, remaining: 0, allowed: false },
        { ...window, remaining: 0, allowed: false },
      ]);
      await clock.advance(9_999);
      expect(await allowed('anna')).to.equal(false);
      await clock.advance(1);
      expect(await consume('anna')).to.deep.equal({
        ...{ limit: 3, remaining: 2, allowed: true },
        resetAt: start + 120_000,
      });
    });

    it('counts keys apart, and windows of another length apart', async () => {
      for (let request = 1; request <= 4; request += 1) await consume('anna');
      expect(await allowed('anna')).to.equal(false);
      expect(await allowed('bert')).to.equal(true);
      expect((await limits.consume('anna', 1, { points: 3, seconds: 3_600 })).remaining).to.equal(2);
    });

    it('lets exactly as many pass as there are points, of many that race', async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => allowed('anna')));
      expect(answers.filter(Boolean)).to.have.length(3);
    });

    it('judges by the limit of the moment', async () => {
      await consume('anna');
      await consume('anna');
      expect(await limits.consume('anna', 1, { points: 2, seconds: 60 })).to.include({
        ...{ limit: 2, remaining: 0, allowed: false },
      });
      expect(await limits.consume('anna', 1, { points: 10, seconds: 60 })).to.include({
        ...{ limit: 10, remaining: 6, allowed: true },
      });
      expect(await limits.consume('bert', 1, { points: 0, seconds: 60 })).to.include({ allowed: false });
    });

    it('takes several points at once, and tells how things stand for none', async () => {
      expect(await limits.consume('anna', 2, limit)).to.include({ remaining: 1, allowed: true });
      expect(await limits.consume('anna', 0, limit)).to.include({ remaining: 1, allowed: true });
      expect(await limits.consume('anna', 2, limit)).to.include({ remaining: 0, allowed: false });
    });

    it('takes points back, down to nothing', async () => {
      for (let request = 1; request <= 4; request += 1) await consume('anna');
      expect(await limits.consume('anna', -2, limit)).to.include({ remaining: 1, allowed: true });
      expect(await limits.consume('anna', -5, limit)).to.include({ remaining: 3, allowed: true });
      expect(await consume('anna')).to.include({ remaining: 2 });
    });

    it('begins no window for who takes nothing', async () => {
      await limits.consume('anna', 0, limit);
      await clock.advance(30_000);
      expect(await consume('anna')).to.include({ resetAt: clock.now() + 60_000 });
    });

    it('agrees with one counter a window, whenever requests come', async () => {
      const steps = fc.array(
        fc.record({
          key: fc.constantFrom('anna', 'bert', 'cleo'),
          seconds: fc.constantFrom(5, 60),
          afterMs: fc.integer({ min: 0, max: 20_000 }),
        }),
        { maxLength: 60 },
      );
      let run = 0;
      const property = fc.asyncProperty(steps, async (requests) => {
        run += 1;
        const windows = new Map<string, { endsAt: number; count: number }>();
        for (const { key, seconds, afterMs } of requests) {
          await clock.advance(afterMs);
          const name = `${run} ${key} ${seconds}`;
          let window = windows.get(name);
          if (!window || window.endsAt <= clock.now())
            windows.set(name, (window = { endsAt: clock.now() + seconds * 1_000, count: 0 }));
          window.count += 1;
          const answer = await limits.consume(`${run} ${key}`, 1, { points: 3, seconds });
          expect(answer).to.deep.equal({
            limit: 3,
            remaining: Math.max(0, 3 - window.count),
            resetAt: window.endsAt,
            allowed: window.count <= 3,
          });
        }
      });
      await fc.assert(property, { numRuns: 50 });
    });
  });
}
