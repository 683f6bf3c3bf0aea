/** Projectors of several processes over the same stores. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { leadByLease, leaseMs, LedElsewhere } from '../../src/core/leadership.ts';
import { createProjector, type Projector } from '../../src/core/projector.ts';
import type { Collection, Projection } from '../../src/core/projection.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import type { EventStore, Position } from '../../src/ports/event-store.ts';
import type { Leases } from '../../src/ports/leases.ts';
import type { ReadModels } from '../../src/ports/read-models.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';
import { openMemoryLeases } from '../support/memory-leases.ts';
import { openMemoryReadModels } from '../support/memory-read-models.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { rejection } from '../support/rejection.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { counterEvents } from './counter.ts';

interface Total {
  readonly total: number;
  readonly seen: readonly number[];
}
const totals: Collection<Total> = { name: 'totals', visibility: 'tenant', indexes: [], text: [] };

const totalsProjection: Projection = {
  ...{ name: 'totals', version: 1, collections: [totals] },
  on: {
    Counted: async ({ stream, data }, documents) => {
      const by = Number(data['by']);
      if (by < 0) throw new Error('it cannot be digested');
      const { total, seen } = (await documents.get(totals, stream)) ?? { total: 0, seen: [] };
      documents.put(totals, stream, null, { total: total + by, seen: [...seen, by] });
    },
  },
};

describe('projectors of several processes', () => {
  let clock: ReturnType<typeof createVirtualClock>;
  let store: EventStore;
  let models: ReadModels;
  let leases: Leases;
  let started: Projector[];

  beforeEach(() => {
    clock = createVirtualClock();
    store = openMemoryEventStore();
    models = openMemoryReadModels();
    leases = openMemoryLeases(clock);
    started = [];
  });
  afterEach(async () => {
    await Promise.all(started.map((projector) => projector.stop()));
    await store.close();
  });

  /** @param own the stores as this process sees them */
  async function startProcess(
    own: { readonly models?: ReadModels; readonly leases?: Partial<Leases> } = {},
    roles: 'leads' | 'looks' = 'leads',
  ): Promise<Projector> {
    const log = createRecordingLog();
    const projector = createProjector({
      ...{ store, models: own.models ?? models, clock, log, projections: [totalsProjection] },
      schemas: createSchemas([counterEvents]),
      leadership:
        roles === 'leads'
          ? leadByLease({ leases: { ...leases, ...own.leases }, holder: 'test', clock, log })
          : null,
    });
    started.push(projector);
    await projector.start();
    await clock.advance(0);
    return projector;
  }

  async function append(by: number, type = 'Counted'): Promise<Position> {
    const stream = type === 'Counted' ? 'counter-a' : 'other-a';
    const [last] = await store.readStream(stream, { direction: 'backwards', limit: 1 });
    const metadata = {
      ...{ tenant: null, actor: { id: 'a', face: 'f' }, correlationId: 'c', causationId: randomUUID() },
      ...{ at: '2030-01-01T00:00:00.000Z', schema: 1 },
    };
    const event = { id: randomUUID(), type, data: { by }, metadata };
    return (await store.append(stream, last?.revision ?? 'none', [event])).position;
  }

  async function passes<T>(asked: Promise<T>): Promise<T> {
    const state = { settled: false };
    void asked.finally(() => (state.settled = true)).catch(() => undefined);
    for (let turns = 0; !state.settled; turns += 1) {
      if (turns > 3_000) throw new Error('it never came true');
      await clock.advance(20);
    }
    return asked;
  }
  const kept = async () =>
    (await models.get<Total>('totals', 'counter-a', { kind: 'platform' }))?.data.seen ?? [];

  it('have one leader, whose documents all find there as soon as they are', async () => {
    const first = await startProcess();
    const second = await startProcess();
    const third = await startProcess({}, 'looks');
    for (let by = 1; by <= 5; by += 1) {
      const position = await append(by);
      for (const projector of [second, third, first])
        expect(await passes(projector.waitFor(['totals'], position, 200))).to.equal(true);
    }
    expect(await kept()).to.deep.equal([1, 2, 3, 4, 5]);
    for (const projector of [first, second, third])
      expect(await projector.status()).to.deep.include.members([
        {
          ...{ name: 'totals', version: 1, position: await store.head(), lagEvents: 0, state: 'live' },
          parked: 0,
        },
      ]);
  });

  it('wait for no checkpoint where nothing concerns the projection', async () => {
    await append(1);
    const slow: ReadModels = {
      ...models,
      commit: async (generation, writes, checkpoint, fence) => {
        // Checkpoints alone are not written: as between two of the moments at which they are.
        const isCheckpointAlone = writes.length === 0;
        if (!isCheckpointAlone) await models.commit(generation, writes, checkpoint, fence);
      },
    };
    await startProcess({ models: slow });
    const other = await startProcess({}, 'looks');
    const own = await append(2);
    const unrelated = await append(3, 'Unrelated');
    expect(await passes(other.waitFor('all', own, 500))).to.equal(true);
    expect(await passes(other.waitFor('all', unrelated, 500))).to.equal(true);
  });

  it('do not find there what nobody has projected yet', async () => {
    const stuck = Promise.withResolvers<undefined>();
    const slow: ReadModels = {
      ...models,
      commit: async (generation, writes, checkpoint, fence) => {
        if (writes.some((write) => 'put' in write && write.put.collection === 'totals')) await stuck.promise;
        await models.commit(generation, writes, checkpoint, fence);
      },
    };
    const position = await append(1);
    await startProcess({ models: slow });
    const other = await startProcess({}, 'looks');
    expect(await passes(other.waitFor('all', position, 300))).to.equal(false);
    expect(await other.waitFor('all', position, 0)).to.equal(false);
    stuck.resolve(undefined);
    await clock.advance(50);
    expect(await other.waitFor('all', position, 0)).to.equal(true);
  });

  it('take over from a leader that is stopped, and refuse what it still writes when it goes on', async () => {
    let pause: Promise<unknown> | null = null;
    const wait = async (): Promise<void> => {
      await pause;
    };
    const pausing: ReadModels = {
      ...models,
      commit: async (...commit) => {
        await wait();
        return models.commit(...commit);
      },
      load: async (...load) => {
        await wait();
        return models.load(...load);
      },
    };
    const first = await startProcess({
      models: pausing,
      leases: {
        renew: async (...asked) => {
          await wait();
          return leases.renew(...asked);
        },
        release: async (lease) => {
          await wait();
          await leases.release(lease);
        },
      },
    });
    const second = await startProcess();
    expect(await passes(second.waitFor('all', await append(1), 1_000))).to.equal(true);

    const goesOn = Promise.withResolvers<undefined>();
    pause = goesOn.promise;
    await append(2);
    await clock.advance(100);
    await clock.advance(leaseMs + 1_000);
    expect(await passes(second.waitFor('all', await append(3), 1_000))).to.equal(true);
    expect(await kept()).to.deep.equal([1, 2, 3]);

    pause = null;
    goesOn.resolve(undefined);
    await clock.advance(5_000);
    expect(await kept()).to.deep.equal([1, 2, 3]);
    expect(await passes(first.waitFor('all', await append(4), 1_000))).to.equal(true);
    expect(await kept()).to.deep.equal([1, 2, 3, 4]);
  });

  it('show what is parked, and mend only where they lead', async () => {
    const first = await startProcess();
    const second = await startProcess();
    await append(1);
    const position = await append(-1);
    expect(await passes(first.waitFor('all', position, 60_000))).to.equal(true);
    expect(await passes(second.waitFor('all', position, 1_000))).to.equal(true);
    expect(second.parked().map(({ stream, revision }) => [stream, revision])).to.deep.equal([
      ['counter-a', 1],
    ]);
    expect(second.parked()).to.deep.equal(first.parked());
    expect(await rejection(second.retry('totals'))).to.be.instanceOf(LedElsewhere);
    expect(await rejection(second.compare('totals'))).to.be.instanceOf(LedElsewhere);
    expect(await rejection(second.rebuild('totals'))).to.be.instanceOf(LedElsewhere);
    expect((await first.compare('totals')).differences).to.deep.equal([]);
  });

  it('are ready when another has built what was missing', async () => {
    for (let by = 1; by <= 20; by += 1) await append(by);
    const looking = await startProcess({}, 'looks');
    let ready = false;
    void looking.ready().then(() => (ready = true));
    await clock.advance(2_000);
    expect(ready).to.equal(false);
    await startProcess();
    await clock.advance(1_000);
    expect(ready).to.equal(true);
    expect(await kept()).to.have.length(20);
  });
});
