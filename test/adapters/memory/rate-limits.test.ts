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
});
