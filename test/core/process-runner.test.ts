import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { createExecutor } from '../../src/core/command-executor.ts';
import { createProcessRunner } from '../../src/core/process-runner.ts';
import type { Cause, ProcessManager, ProcessRunner } from '../../src/core/process-runner.ts';
import type { Executor } from '../../src/core/executor.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { close, count, counter, counterEvents, someContext } from './counter.ts';
import { shows } from '../support/rollout-rows.ts';

describe('process runner', () => {
  const schemas = createSchemas([counterEvents]);
  const log = createRecordingLog();
  let clock: ReturnType<typeof createVirtualClock>;
  let store: EventStore;
  let executor: Executor;
  let runner: ProcessRunner;
  let handled: { readonly key: string; readonly cause: Cause }[];

  beforeEach(() => {
    clock = createVirtualClock();
    store = openMemoryEventStore();
    executor = createExecutor({ store, schemas, snapshots: null, clock, log });
    handled = [];
  });
  afterEach(async () => {
    await runner.stop();
    await store.close();
  });

  async function start(process: Partial<ProcessManager>, waitFor: () => Promise<boolean> = async () => true) {
    const whole: ProcessManager = {
      types: ['Counted'],
      keysOf: ({ stream }) => [stream.replace('counter-', '')],
      inFlight: async () => [],
      due: async () => [],
      ...process,
      handle: async (key, cause) => {
        handled.push({ key, cause });
        await process.handle?.(key, cause);
      },
    };
    runner = createProcessRunner({
      store,
      schemas,
      processes: [{ name: 'closer', begin: () => whole }],
      clock,
      log,
      projector: { waitFor },
      newId: randomUUID,
      concurrency: 4,
    });
    await runner.start();
  }
  const add = (id: string, by = 1, context = someContext()) =>
    executor.execute({ aggregate: counter, id, tenant: null, context, decide: count(by) });
  const keys = () => handled.map(({ key }) => key);

  it('wakes the key of an event, which sends a command that keeps the correlation', async () => {
    await start({
      handle: async (id, cause) => {
        const context = cause.command('close');
        await executor.execute({ aggregate: counter, id, tenant: null, context, decide: close });
      },
    });
    const asked = someContext();
    await add('a', 1, asked);
    await runner.idle();
    const [, closed] = await store.readStream('counter-a', { limit: 10 });
    expect(closed!.type).to.equal('CounterClosed');
    expect(closed!.metadata).to.deep.include({
      correlationId: asked.correlationId,
      actor: { id: 'process:closer', face: 'process' },
    });
  });

  it('derives the id of a command from process, key and purpose alone', async () => {
    const ids: string[] = [];
    await start({
      handle: async (_key, cause) => void ids.push(...['x', 'y'].map((p) => cause.command(p).commandId)),
    });
    for (const id of ['a', 'a', 'b']) {
      await add(id);
      await runner.idle();
    }
    expect(ids).to.have.length(6);
    expect(ids.slice(0, 2)).to.deep.equal(ids.slice(2, 4));
    expect(new Set(ids).size).to.equal(4);
  });

  it('wakes what is in flight once the projections have caught up, and misses nothing meanwhile', async () => {
    await add('old');
    const gate = Promise.withResolvers<boolean>();
    await start({ inFlight: async () => ['old'] }, () => gate.promise);
    await add('new');
    await clock.advance(10);
    expect(keys()).to.deep.equal(['new']);
    gate.resolve(true);
    await runner.idle();
    expect(keys()).to.deep.equal(['new', 'old']);
  });

  it('runs one handler a key at a time; what wakes it meanwhile makes one more run', async () => {
    const gate = Promise.withResolvers<undefined>();
    let atOnce = 0;
    let most = 0;
    await start({
      handle: async () => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await gate.promise;
        atOnce -= 1;
      },
    });
    for (let i = 0; i < 10; i += 1) await add('a');
    await clock.advance(10);
    expect(keys()).to.deep.equal(['a']);
    gate.resolve(undefined);
    await runner.idle();
    expect(keys()).to.deep.equal(['a', 'a']);
    expect(most).to.equal(1);
  });

  it('runs a bounded number of keys at once', async () => {
    const gate = Promise.withResolvers<undefined>();
    await start({ handle: async () => gate.promise.then(() => undefined) });
    for (let i = 0; i < 10; i += 1) await add(`k${i}`);
    await clock.advance(10);
    expect(keys()).to.have.length(4);
    gate.resolve(undefined);
    await runner.idle();
    expect(keys()).to.have.length(10);
  });

  it(shows('Time: asked every second', 'asks every second what is due by the wall clock'), async () => {
    const dueAt = clock.now() + 60_000;
    let done = false;
    await start({
      due: async (now) => (now >= dueAt && !done ? ['late'] : []),
      handle: async () => void (done = true),
    });
    await clock.advance(59_000);
    expect(keys()).to.deep.equal([]);
    clock.jump(dueAt);
    await clock.advance(1_000);
    await runner.idle();
    expect(keys()).to.deep.equal(['late']);
  });

  it('tries a failing key again with growing pauses, parks it after 5, and lets the others go on', async () => {
    let broken = true;
    await start({
      due: async () => ['bad'],
      handle: async (key) => {
        if (key === 'bad' && broken) throw new Error('bad luck');
      },
    });
    await clock.advance(60_000);
    await add('good');
    await runner.idle();
    expect(keys()).to.deep.equal([...Array<string>(5).fill('bad'), 'good']);
    expect(runner.parked()).to.have.length(1);
    expect(runner.parked()[0]).to.deep.include({
      process: 'closer',
      key: 'bad',
      error: 'bad luck',
      failures: 5,
    });

    broken = false;
    runner.retry('closer', 'bad');
    await runner.idle();
    expect(runner.parked()).to.deep.equal([]);
  });

  it('wakes a parked key when something new happens to it', async () => {
    let broken = true;
    await start({
      handle: async () => {
        if (broken) throw new Error('bad luck');
      },
    });
    await add('a');
    await clock.advance(60_000);
    expect(runner.parked()).to.have.length(1);
    broken = false;
    await add('a');
    await runner.idle();
    expect(runner.parked()).to.deep.equal([]);
  });

  it('passes over an event that it cannot read', async () => {
    await start({});
    const metadata = {
      ...{ tenant: null, actor: { id: 'a', face: 'f' }, correlationId: 'c', causationId: 'd' },
      ...{ at: '2030-01-01T00:00:00.000Z', schema: 9 },
    };
    await store.append('counter-x', 'none', [{ id: randomUUID(), type: 'Counted', data: {}, metadata }]);
    await add('a');
    await runner.idle();
    expect(keys()).to.deep.equal(['a']);
    expect(log.lines.some(({ message }) => message.includes('wakes nobody'))).to.be.true;
  });

  it('can be stopped while the projections have not caught up', async () => {
    await start({}, () => new Promise(() => undefined));
    await add('a');
    await clock.advance(10);
    await runner.stop();
    expect(keys()).to.deep.equal(['a']);
  });

  it('lets what runs end before it has stopped, and starts nothing more', async () => {
    const gate = Promise.withResolvers<undefined>();
    await start({ handle: async () => gate.promise.then(() => undefined) });
    for (let i = 0; i < 6; i += 1) await add(`k${i}`);
    await clock.advance(10);
    let stopped = false;
    const stopping = runner.stop().then(() => (stopped = true));
    await clock.advance(10);
    expect(stopped).to.be.false;
    gate.resolve(undefined);
    await stopping;
    expect(keys()).to.have.length(4);
    expect(clock.pending()).to.equal(0);
  });
});
