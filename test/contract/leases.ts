/** What every {@link Leases} owes. An adapter's test calls {@link describeLeases} with a way to open one. */
import { expect } from 'chai';
import fc from 'fast-check';
import type { Lease, Leases } from '../../src/ports/leases.ts';
import { createVirtualClock, type VirtualClock } from '../support/virtual-clock.ts';

/** One place where leases are kept; opened twice, two processes share it. */
export interface LeasesPlace {
  open(): Promise<Leases>;
  remove(): Promise<void>;
}

const forMs = 10_000;

/** @param newPlace of leases that end by this clock */
export function describeLeases(
  name: string,
  newPlace: (clock: VirtualClock) => Promise<LeasesPlace>,
  { runs }: { readonly runs: number } = { runs: 100 },
): void {
  describe(`Leases contract: ${name}`, () => {
    let clock: VirtualClock;
    let place: LeasesPlace;
    let mine: Leases;
    let others: Leases;

    beforeEach(async () => {
      clock = createVirtualClock();
      place = await newPlace(clock);
      [mine, others] = [await place.open(), await place.open()];
    });
    afterEach(async () => {
      await mine.close();
      await others.close();
      await place.remove();
    });

    async function held(leases = mine, lease = 'rollouts'): Promise<Lease> {
      const acquired = await leases.acquire(lease, 'somebody', forMs);
      if (!acquired) throw new Error('it is held');
      return acquired;
    }

    it('gives a lease to one, and to nobody else until its time is over', async () => {
      expect(await mine.acquire('rollouts', 'a', forMs)).to.deep.equal({ name: 'rollouts', fence: 1 });
      expect(await others.acquire('rollouts', 'b', forMs)).to.equal(null);
      await clock.advance(forMs - 1);
      expect(await others.acquire('rollouts', 'b', forMs)).to.equal(null);
      await clock.advance(1);
      expect(await others.acquire('rollouts', 'b', forMs)).to.deep.equal({ name: 'rollouts', fence: 2 });
      expect(await mine.acquire('rollouts', 'a', forMs)).to.equal(null);
    });

    it('gives none twice to the same holder', async () => {
      await held();
      expect(await mine.acquire('rollouts', 'somebody', forMs)).to.equal(null);
    });

    it('keeps names apart', async () => {
      await held();
      expect(await held(others, 'webhooks')).to.deep.equal({ name: 'webhooks', fence: 1 });
      expect(await held(others, 'rollouts.$x {"y"}')).to.include({ fence: 1 });
    });

    it('prolongs from the moment it is asked', async () => {
      const lease = await held();
      await clock.advance(forMs - 1);
      expect(await mine.renew(lease, forMs)).to.equal(true);
      await clock.advance(forMs - 1);
      expect(await others.acquire('rollouts', 'b', forMs)).to.equal(null);
      expect(await mine.renew(lease, 1)).to.equal(true);
      await clock.advance(1);
      expect(await held(others)).to.include({ fence: 2 });
    });

    it('does not prolong what is over, whether somebody has it now or not', async () => {
      const lease = await held();
      await clock.advance(forMs);
      expect(await mine.renew(lease, forMs)).to.equal(false);
      const next = await held(others);
      expect(await mine.renew(lease, forMs)).to.equal(false);
      expect(await others.renew(next, forMs)).to.equal(true);
    });

    it('knows no lease that it never gave', async () => {
      expect(await mine.renew({ name: 'unknown', fence: 1 }, forMs)).to.equal(false);
      await mine.release({ name: 'unknown', fence: 1 });
      expect(await held(mine, 'unknown')).to.include({ fence: 1 });
    });

    it('lets the next one have what was released, at once and with a higher fence', async () => {
      const lease = await held();
      await mine.release(lease);
      expect(await mine.renew(lease, forMs)).to.equal(false);
      expect(await held(others)).to.include({ fence: 2 });
      await mine.release(lease);
      expect(await mine.acquire('rollouts', 'a', forMs)).to.equal(null);
    });

    it('gives to one of many that race', async () => {
      for (let round = 1; round <= 5; round += 1) {
        const asked = Array.from({ length: 20 }, (_, index) =>
          (index % 2 ? mine : others).acquire('rollouts', String(index), forMs),
        );
        const given = (await Promise.all(asked)).filter((lease) => lease !== null);
        expect(given).to.deep.equal([{ name: 'rollouts', fence: round }]);
        await clock.advance(forMs);
      }
    });

    it('never has two holders, and never a fence twice, whatever they do and however long it takes', async () => {
      const step = fc.oneof(
        fc.record({ do: fc.constantFrom('acquire', 'renew', 'release'), who: fc.nat({ max: 2 }) }),
        fc.record({ do: fc.constant('wait'), ms: fc.integer({ min: 1, max: 2 * forMs }) }),
      );
      let run = 0;
      const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const lease = `run ${(run += 1)}`;
        /** The last lease of each, over or not. */
        const has = new Map<number, Lease>();
        let holds: { readonly who: number; readonly until: number } | null = null;
        let fence = 0;
        for (const one of steps) {
          if (!('who' in one)) {
            await clock.advance(one.ms);
            continue;
          }
          const { who } = one;
          const leases = who === 0 ? mine : others;
          const known = has.get(who);
          const isHeld: boolean = holds !== null && clock.now() < holds.until;
          const isHis: boolean = isHeld && holds?.who === who;
          if (one.do === 'acquire') {
            const given = await leases.acquire(lease, String(who), forMs);
            expect(given).to.deep.equal(isHeld ? null : { name: lease, fence: fence + 1 });
            if (!given) continue;
            fence += 1;
            has.set(who, given);
            holds = { who, until: clock.now() + forMs };
          } else if (known && one.do === 'renew') {
            expect(await leases.renew(known, forMs)).to.equal(isHis);
            if (isHis) holds = { who, until: clock.now() + forMs };
          } else if (known) {
            await leases.release(known);
            if (isHis) holds = null;
          }
        }
      });
      await fc.assert(property, { numRuns: runs });
    });
  });
}
