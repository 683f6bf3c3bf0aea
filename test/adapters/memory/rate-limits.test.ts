import { expect } from 'chai';
import { openMemoryRateLimits } from '../../../src/adapters/memory/rate-limits.ts';
import { describeRateLimits } from '../../contract/rate-limits.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

describeRateLimits('memory', (clock) => openMemoryRateLimits({ clock }));

describe('rate limits in memory', () => {
  it('end their windows in time when the wall clock steps back', async () => {
    const clock = createVirtualClock();
    const limits = await openMemoryRateLimits({ clock });
    const limit = { points: 1, seconds: 60 };
    await limits.consume('anna', 1, limit);
    clock.jump(clock.now() - 3_600_000);
    const refused = await limits.consume('anna', 1, limit);
    expect(refused).to.include({ allowed: false, resetAt: clock.now() + 60_000 });
    await clock.advance(60_000);
    expect(await limits.consume('anna', 1, limit)).to.include({ allowed: true });
  });

  it('keep no more keys than there is room for, and forget those that nobody asked about for longest', async () => {
    const clock = createVirtualClock();
    const limits = await openMemoryRateLimits({ clock, mostKeys: 10 });
    const limit = { points: 3, seconds: 60 };
    const left = async (key: string) => (await limits.consume(key, 0, limit)).remaining;
    for (const key of ['watched', 'left']) await limits.consume(key, 2, limit);
    for (let key = 0; key < 100; key += 1) {
      await limits.consume(`stranger ${key}`, 3, limit);
      expect(await left('watched')).to.equal(1);
    }
    expect(await left('left')).to.equal(3);
    const kept = await Promise.all(Array.from({ length: 100 }, (_, key) => left(`stranger ${key}`)));
    expect(kept.filter((remaining) => remaining === 0).length).to.be.within(4, 10);
  });
});
