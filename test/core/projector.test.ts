import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { createProjector } from '../../src/core/projector.ts';
import type { Projector } from '../../src/core/projector.ts';
import type { Collection, Projection } from '../../src/core/projection.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import type { EventStore, JsonObject, Position } from '../../src/ports/event-store.ts';
import { StoreUnavailable } from '../../src/ports/event-store.ts';
import type { ReadModels } from '../../src/ports/read-models.ts';
import { emptyMemoryLog, openMemoryEventStore } from '../support/memory-event-store.ts';
import { openMemoryReadModels } from '../support/memory-read-models.ts';
import type { MemoryModels } from '../support/memory-read-models.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { counterEvents } from './counter.ts';

interface Total {
  readonly total: number;
  readonly seen: readonly number[];
}
const totals: Collection<Total> = { name: 'totals', visibility: 'tenant', indexes: [], text: [] };
const platform = { kind: 'platform' } as const;

/** Sums each counter; `break` may throw, hang or end the process on an event. */
function totalsProjection(version = 1, broken: (by: number) => void = () => undefined): Projection {
  return {
    ...{ name: 'totals', version, collections: [totals] },
    on: {
      Counted: async ({ stream, data }, documents) => {
        const by = Number(data['by']);
        const { total, seen } = (await documents.get(totals, stream)) ?? { total: 0, seen: [] };
        documents.put(totals, stream, null, { total: total + by, seen: [...seen, by] });
        broken(by);
      },
    },
  };
}

describe('projector', () => {
  const schemas = createSchemas([counterEvents]);
  let log: ReturnType<typeof createRecordingLog>;
  let clock: ReturnType<typeof createVirtualClock>;
  let store: EventStore;
  let kept: MemoryModels;
  let projector: Projector;

  beforeEach(() => {
    log = createRecordingLog();
    clock = createVirtualClock();
    store = openMemoryEventStore();
    kept = new Map();
  });
  afterEach(async () => {
    await projector.stop();
    await store.close();
  });

  async function append(stream: string, data: JsonObject, type = 'Counted', schema = 1): Promise<Position> {
    const [last] = await store.readStream(stream, { direction: 'backwards', limit: 1 });
    const metadata = {
      ...{ tenant: null, actor: { id: 'a', face: 'f' }, correlationId: 'c', causationId: randomUUID() },
      ...{ at: '2030-01-01T00:00:00.000Z', schema },
    };
    const event = { id: randomUUID(), type, data, metadata };
    return (await store.append(stream, last?.revision ?? 'none', [event])).position;
  }

  async function start(projections: readonly Projection[], models: ReadModels = openMemoryReadModels(kept)) {
    projector = createProjector({ store, models, schemas, projections, clock, log });
    await projector.start();
  }
  async function restart(projections: readonly Projection[], models?: ReadModels) {
    await projector.stop();
    await start(projections, models);
  }
  const total = async (stream: string) =>
    (await openMemoryReadModels(kept).get<Total>('totals', stream, platform))?.data ?? null;
  /** Time passes until `condition` holds. */
  async function until(condition: () => boolean | Promise<boolean>) {
    for (let turns = 0; !(await condition()); turns += 1) {
      if (turns > 2_000) throw new Error('it never came true');
      await clock.advance(20);
    }
  }
  const reached = async (position: Position) =>
    until(() => projector.waitFor('all', position, 0).then((there) => there));
  const state = async () => (await projector.status())[0]!;

  it('catches up, follows, and wakes those who wait for a position', async () => {
    await append('counter-a', { by: 1 });
    await start([totalsProjection()]);
    await projector.ready();
    const position = await append('counter-a', { by: 2 });
    expect(await projector.waitFor(['totals'], position, 2_000)).to.be.true;
    expect(await total('counter-a')).to.deep.equal({ total: 3, seen: [1, 2] });
    expect(await state()).to.deep.include({ state: 'live', lagEvents: 0, parked: 0 });
  });

  it('says no when a position is not reached in time', async () => {
    await start([totalsProjection()], {
      ...openMemoryReadModels(kept),
      commit: async () => Promise.reject(new StoreUnavailable('no room')),
    });
    const waited = projector.waitFor('all', await append('counter-a', { by: 1 }), 200);
    await clock.advance(200);
    expect(await waited).to.be.false;
  });

  it('counts every event once, whatever read or commit fails and wherever it is stopped', async () => {
    let seed = 7;
    const chance = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const real = openMemoryReadModels(kept);
    const faulty: ReadModels = {
      ...real,
      commit: async (...commit) => {
        if (chance() < 0.3) throw new StoreUnavailable('before');
        await real.commit(...commit);
        if (chance() < 0.2) throw new StoreUnavailable('after');
      },
      load: async (...load) => {
        if (chance() < 0.1) throw new StoreUnavailable('load');
        return real.load(...load);
      },
    };
    await start([totalsProjection()], faulty);
    let position: Position | null = null;
    for (let i = 0; i < 150; i += 1) {
      position = await append(`counter-${i % 3}`, { by: i });
      if (i % 10 === 0) await restart([totalsProjection()], faulty);
      if (i % 7 === 0) await clock.advance(300);
    }
    await reached(position!);
    for (const stream of [0, 1, 2]) {
      const expected = Array.from({ length: 50 }, (_, i) => i * 3 + stream);
      expect((await total(`counter-${stream}`))!.seen).to.deep.equal(expected);
    }
  });

  it('counts every event once when it did not hear of a commit that was made', async () => {
    const real = openMemoryReadModels(kept);
    let unheard = 0;
    const deaf: ReadModels = {
      ...real,
      commit: async (...commit) => {
        await real.commit(...commit);
        if (unheard > 0 && commit[1].some((write) => 'put' in write && write.put.collection === 'totals')) {
          unheard -= 1;
          throw new StoreUnavailable('the answer was lost');
        }
      },
    };
    await start([totalsProjection()], deaf);
    await projector.ready();
    for (let by = 0; by < 4; by += 1) {
      unheard = by;
      await reached(await append('counter-a', { by }));
    }
    expect((await total('counter-a'))!.seen).to.deep.equal([0, 1, 2, 3]);
  });

  it('reads what a batch of events asks for at once', async () => {
    let position: Position | null = null;
    for (let by = 0; by < 60; by += 1) position = await append(`counter-${by % 20}`, { by });
    const real = openMemoryReadModels(kept);
    const asked: number[] = [];
    await start([totalsProjection()], {
      ...real,
      load: async (generation, collection, ids) => {
        if (collection === 'totals') asked.push(ids.length);
        return real.load(generation, collection, ids);
      },
    });
    await reached(position!);
    expect(asked).to.deep.equal([20]);
    expect((await total('counter-7'))!.seen).to.deep.equal([7, 27, 47]);
  });

  it('parks one of many after as many tries as one alone', async () => {
    let position: Position | null = null;
    for (let by = 0; by < 30; by += 1) position = await append(`counter-${by % 3}`, { by });
    const onBad = (by: number): void => {
      if (by === 4) throw new Error('bad');
    };
    await start([totalsProjection(1, onBad)]);
    await reached(position!);
    expect(projector.parked().map(({ stream, tries }) => ({ stream, tries }))).to.deep.equal([
      { stream: 'counter-1', tries: 5 },
    ]);
    expect((await total('counter-1'))!.seen).to.deep.equal([1]);
    expect((await total('counter-2'))!.seen).to.have.length(10);
  });

  describe('a new version', () => {
    it('is built beside the old one, which answers until the switch', async () => {
      await append('counter-a', { by: 5 });
      await start([totalsProjection(1)]);
      await projector.ready();
      const gate = Promise.withResolvers<undefined>();
      const doubled = totalsProjection(2);
      const slow: Projection = {
        ...doubled,
        on: {
          Counted: async (event, documents) => {
            await gate.promise;
            documents.put(totals, event.stream, null, { total: -1, seen: [] });
          },
        },
      };
      await restart([slow]);
      await clock.advance(100);
      expect((await total('counter-a'))!.total).to.equal(5);
      expect((await state()).state).to.equal('building');
      gate.resolve(undefined);
      await projector.ready();
      expect((await total('counter-a'))!.total).to.equal(-1);
      expect([...kept.keys()]).to.deep.equal(['totals@2']);
    });

    it('goes on where its building stopped', async () => {
      for (let i = 0; i < 1_200; i += 1) await append('counter-a', { by: 1 });
      await start([totalsProjection(1)]);
      await projector.ready();
      let handled = 0;
      const second = totalsProjection(2, () => void (handled += 1));
      const real = openMemoryReadModels(kept);
      let commits = 0;
      const full: ReadModels = {
        ...real,
        commit: async (...commit) => {
          commits += 1;
          if (commits > 1) throw new StoreUnavailable('no room');
          await real.commit(...commit);
        },
      };
      await restart([second], full);
      await clock.advance(100);
      expect((await state()).state).to.equal('building');
      await restart([second]);
      await projector.ready();
      expect((await total('counter-a'))!.total).to.equal(1_200);
      // The first 500 were kept; the next 500 were tried in vain at least once.
      expect(handled).to.be.at.least(1_700);
      expect(kept.get('totals@2')!.active).to.be.true;
    });
  });

  describe('a log put back from a backup', () => {
    const cases: Record<string, (position: Position) => Promise<unknown>> = {
      'is noticed when it ends before the checkpoint': async () => undefined,
      'is noticed when it grew past the checkpoint with other events': async () => {
        for (let i = 0; i < 6; i += 1) await append('counter-b', { by: 10 });
      },
      'is noticed when it grew past the checkpoint in the same stream': async () => {
        for (let i = 0; i < 6; i += 1) await append('counter-a', { by: 10 });
      },
    };
    for (const [name, grow] of Object.entries(cases)) {
      it(name, async () => {
        const memory = emptyMemoryLog();
        store = openMemoryEventStore({ log: memory });
        await append('counter-a', { by: 1 });
        const backup = structuredClone(memory);
        await append('counter-a', { by: 2 });
        const position = await append('counter-a', { by: 3 });
        await start([totalsProjection()]);
        await projector.ready();
        await projector.stop();
        store = openMemoryEventStore({ log: backup });
        await grow(position);
        await start([totalsProjection()]);
        await projector.ready();
        const seen = (await total('counter-a'))!.seen;
        expect(seen.filter((by) => by < 10)).to.deep.equal([1]);
        expect(log.lines.some(({ message }) => message.includes('rebuilding'))).to.be.true;
      });
    }

    it('or another log altogether is noticed by its id', async () => {
      await append('counter-a', { by: 1 });
      await start([totalsProjection()]);
      await projector.ready();
      store = openMemoryEventStore();
      await append('counter-b', { by: 2 });
      await restart([totalsProjection()]);
      await projector.ready();
      expect(await total('counter-a')).to.be.null;
      expect((await total('counter-b'))!.total).to.equal(2);
    });
  });

  describe('an event that cannot be digested', () => {
    let tries: number;
    let broken: boolean;
    const fragile = () =>
      totalsProjection(1, (by) => {
        if (by !== 13 || !broken) return;
        tries += 1;
        throw new Error('thirteen');
      });
    beforeEach(() => {
      tries = 0;
      broken = true;
    });

    it('is parked with its stream after 5 tries, all else goes on, a retry after the fix heals it', async () => {
      await start([fragile()]);
      await append('counter-a', { by: 1 });
      await append('counter-a', { by: 13 });
      await append('counter-b', { by: 2 });
      const position = await append('counter-a', { by: 4 });
      await reached(position);
      expect(tries).to.equal(5);
      expect((await total('counter-a'))!.seen).to.deep.equal([1]);
      expect((await total('counter-b'))!.seen).to.deep.equal([2]);
      expect(projector.parked()).to.have.length(1);
      expect(projector.parked()[0]).to.deep.include({
        ...{ projection: 'totals', stream: 'counter-a', revision: 1, tries: 5, error: 'thirteen' },
      });

      expect(await projector.retry('totals')).to.equal(0);
      expect(projector.parked()[0]!.tries).to.equal(6);
      broken = false;
      await restart([fragile()]);
      await projector.ready();
      expect(projector.parked()).to.have.length(1);
      expect(await projector.retry('totals')).to.equal(1);
      expect((await total('counter-a'))!.seen).to.deep.equal([1, 13, 4]);
      expect(projector.parked()).to.deep.equal([]);
      await reached(await append('counter-a', { by: 5 }));
      expect((await total('counter-a'))!.seen).to.deep.equal([1, 13, 4, 5]);
    });

    it('because its schema is newer is parked as well; one of an unknown type never arrives', async () => {
      await start([totalsProjection()]);
      await append('counter-a', { by: 1 }, 'Counted', 2);
      await append('counter-b', {}, 'FromTheFuture');
      await reached(await append('counter-b', { by: 2 }));
      expect(projector.parked().map(({ stream }) => stream)).to.deep.equal(['counter-a']);
      expect((await total('counter-b'))!.seen).to.deep.equal([2]);
    });

    it('that ends the process is found by counting before each try', async () => {
      await append('counter-x', {}, 'CounterClosed');
      await append('counter-a', { by: 13 });
      const position = await append('counter-b', { by: 2 });
      let deaths = 0;
      for (let life = 0; life < 9; life += 1) {
        // The process ends in the middle of the handler: what it has not committed is lost, nothing of it goes on.
        const died = Promise.withResolvers<undefined>();
        const deadly: Projection = {
          ...totalsProjection(),
          on: {
            Counted: async (event, documents) => {
              if (event.data['by'] !== 13) return totalsProjection().on['Counted']!(event, documents);
              died.resolve(undefined);
              await new Promise(() => undefined);
            },
          },
        };
        await start([deadly]);
        const died13 = await Promise.race([
          died.promise.then(() => true),
          projector.waitFor('all', position, 1e9),
        ]);
        if (projector.parked().length > 0) break;
        expect(died13).to.be.true;
        deaths += 1;
      }
      expect(deaths).to.equal(6);
      expect(projector.parked()[0]).to.deep.include({ stream: 'counter-a', tries: 5 });
      await projector.waitFor('all', position, 1e9);
      expect((await total('counter-b'))!.seen).to.deep.equal([2]);
    });
  });

  it('reports a projection that stands still while the log moves', async () => {
    let full = false;
    const real = openMemoryReadModels(kept);
    await start([totalsProjection()], {
      ...real,
      commit: (...commit) =>
        full ? Promise.reject(new StoreUnavailable('no room')) : real.commit(...commit),
    });
    await projector.ready();
    full = true;
    const position = await append('counter-a', { by: 1 });
    await clock.advance(1_000);
    expect(await state()).to.deep.include({ state: 'live', lagEvents: 1 });
    await clock.advance(15_000);
    expect((await state()).state).to.equal('stalled');
    full = false;
    await reached(position);
    expect(await state()).to.deep.include({ state: 'live', lagEvents: 0 });
  });

  it('does not write a checkpoint for each foreign event', async () => {
    let commits = 0;
    const real = openMemoryReadModels(kept);
    const counting: ReadModels = {
      ...real,
      commit: (...commit) => {
        commits += 1;
        return real.commit(...commit);
      },
    };
    await start([totalsProjection()], counting);
    await projector.ready();
    commits = 0;
    for (let i = 0; i < 100; i += 1) {
      const position = await append('other-a', {}, 'CounterClosed');
      expect(await projector.waitFor('all', position, 10)).to.be.true;
    }
    expect(commits).to.equal(0);
    const end = await store.head();
    await projector.stop();
    expect(kept.get('totals@1')!.checkpoint!.position).to.equal(end);
  });

  it('refuses projections that share a collection', async () => {
    await start([]);
    const twin = { ...totalsProjection(), name: 'twin' };
    const models = openMemoryReadModels();
    const both = { store, models, schemas, clock, log, projections: [totalsProjection(), twin] };
    expect(() => createProjector(both)).to.throw('totals');
  });
});
