import { expect } from 'chai';
import { createTenantLimits } from '../../src/core/tenant-limits.ts';
import { UnreadableStream, type Executor } from '../../src/core/executor.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

describe('the rate limit of a tenant', () => {
  const clock = createVirtualClock();
  let limit: number | null;
  let failing: boolean;
  let read: string[];
  let log: ReturnType<typeof createRecordingLog>;
  let limitOf: (tenantId: string) => Promise<number | null>;

  beforeEach(() => {
    [limit, failing, read, log] = [100, false, [], createRecordingLog()];
    const executor: Pick<Executor, 'load'> = {
      load: async (aggregate, id) => {
        read.push(`${aggregate.name}-${id}`);
        if (failing) throw new UnreadableStream(`tenant-${id}`, 3, 'of a newer program');
        const rateLimits = { maxRequestsPerMinute: limit, maxDeploymentsPerHour: null };
        const state = id === 'unknown' ? aggregate.initial : { ...aggregate.initial, rateLimits };
        return { state, revision: 0 };
      },
    };
    limitOf = createTenantLimits({ executor, clock, log });
  });

  it('is read once a second at most, however many ask', async () => {
    const answers = await Promise.all([limitOf('acme'), limitOf('acme'), limitOf('acme')]);
    limit = 5;
    await clock.advance(999);
    expect([...answers, await limitOf('acme')]).to.deep.equal([100, 100, 100, 100]);
    expect(read).to.deep.equal(['tenant-acme']);
    await clock.advance(1);
    expect(await limitOf('acme')).to.equal(5);
    expect(read).to.deep.equal(['tenant-acme', 'tenant-acme']);
  });

  it('is none where none was given, where there is no such tenant, and for the platform', async () => {
    limit = null;
    expect(await limitOf('acme')).to.equal(null);
    expect(await limitOf('unknown')).to.equal(null);
    limit = 5;
    expect(await limitOf('platform')).to.equal(null);
    expect(read).to.deep.equal(['tenant-acme', 'tenant-unknown']);
  });

  it('is what was known last when it cannot be read, and the operator is told', async () => {
    expect(await limitOf('acme')).to.equal(100);
    failing = true;
    for (let times = 1; times <= 2; times += 1) {
      await clock.advance(1_000);
      expect(await limitOf('acme')).to.equal(100);
    }
    expect(await limitOf('globex')).to.equal(null);
    expect(log.lines.filter(({ level }) => level === 'warn')).to.have.length(3);
  });
});
