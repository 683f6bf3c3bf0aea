import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import fc from 'fast-check';
import { createExecutor } from '../../src/core/command-executor.ts';
import { step } from '../../src/core/context.ts';
import { conditional } from '../../src/core/precondition.ts';
import { CommandRefused, TooContended, UnreadableStream } from '../../src/core/executor.ts';
import type { CommandContext, Executor } from '../../src/core/executor.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import type { Aggregate } from '../../src/domain/event.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { StoreUnavailable, WrongExpectedRevision } from '../../src/ports/event-store.ts';
import type { Snapshot, Snapshots } from '../../src/ports/snapshots.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { failure } from '../support/failure.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { close, count, counter, counterEvents, someContext } from './counter.ts';
import type { CounterEvent, CounterState } from './counter.ts';

function memorySnapshots(): Snapshots & { readonly kept: Map<string, Snapshot> } {
  const kept = new Map<string, Snapshot>();
  return {
    kept,
    read: async (stream) => kept.get(stream) ?? null,
    write: async (stream, snapshot) => void kept.set(stream, snapshot),
    close: async () => undefined,
  };
}

describe('executor', () => {
  let store: EventStore;
  let snapshots: ReturnType<typeof memorySnapshots>;
  let executor: Executor;
  const log = createRecordingLog();
  const clock = createVirtualClock(Date.parse('2030-05-01T12:00:00.000Z'));
  const schemas = createSchemas([counterEvents]);
  const executorOver = (over: EventStore): Executor =>
    createExecutor({ store: over, schemas, snapshots, clock, log });

  beforeEach(() => {
    store = openMemoryEventStore();
    snapshots = memorySnapshots();
    executor = executorOver(store);
  });
  afterEach(() => store.close());

  const run = (
    decide: (state: CounterState) => ReturnType<typeof close>,
    context: CommandContext = someContext(),
    by = executor,
  ) =>
    by.execute<CounterState, CounterEvent>({ aggregate: counter, id: 'a', tenant: 'acme', context, decide });
  const lengthOf = async () => (await store.readStream('counter-a', { limit: 10_000 })).length;

  it('appends what was decided, with who, why and when', async () => {
    const context = someContext();
    const executed = await run(count(3), context);
    expect(executed).to.deep.include({ state: { total: 3, closed: false }, revision: 0 });
    const [event] = await store.readStream('counter-a', { limit: 10 });
    expect(event).to.deep.include({ type: 'Counted', data: { by: 3 }, position: executed.position });
    expect(event!.metadata).to.deep.equal({
      tenant: 'acme',
      actor: context.actor,
      correlationId: context.correlationId,
      causationId: context.commandId,
      at: '2030-05-01T12:00:00.000Z',
      schema: 1,
    });
  });

  it('appends nothing when nothing was decided, and throws what was refused', async () => {
    await run(close);
    expect(await run(close)).to.deep.include({ events: [], position: null, revision: 0 });
    expect(await failure(run(count(1)))).to.be.instanceOf(CommandRefused);
    expect(await lengthOf()).to.equal(1);
  });

  it('decides every one of 100 racing commands on the state that the others left', async () => {
    await Promise.all(Array.from({ length: 100 }, () => run(count(1))));
    expect((await executor.load(counter, 'a')).state.total).to.equal(100);
  });

  it('decides again when another process was faster', async () => {
    const other = executorOver(store);
    await Promise.all([
      ...Array.from({ length: 4 }, () => run(count(1))),
      ...Array.from({ length: 4 }, () => run(count(1), someContext(), other)),
    ]);
    expect((await other.load(counter, 'a')).state.total).to.equal(8);
  });

  it('leaves in memory what a fold from the start gives, whatever was asked of it', async () => {
    const asked = fc.array(
      fc.record({ by: fc.integer({ min: -9, max: 9 }), other: fc.boolean(), end: fc.boolean() }),
      {
        maxLength: 40,
      },
    );
    await fc.assert(
      fc.asyncProperty(asked, async (commands) => {
        store = openMemoryEventStore();
        const [one, two] = [executorOver(store), executorOver(store)];
        const outcomes = await Promise.allSettled(
          commands.map(({ by, other, end }) =>
            run(end && by > 7 ? close : count(by), someContext(), other ? one : two),
          ),
        );
        for (const outcome of outcomes)
          if (outcome.status === 'rejected') expect(outcome.reason).to.be.instanceOf(CommandRefused);
        const fresh = await executorOver(store).load(counter, 'a');
        expect(await one.load(counter, 'a')).to.deep.equal(fresh);
        expect(await two.load(counter, 'a')).to.deep.equal(fresh);
        await store.close();
      }),
      { numRuns: 50 },
    );
  });

  it('holds a command to its condition once: its repetition is answered as the first time', async () => {
    const { revision } = await run(count(1));
    const asked = (versions: readonly string[], id?: string): CommandContext => ({
      ...someContext(id),
      precondition: { holds: 'among', versions },
    });
    const held = (context: CommandContext) =>
      executor.execute<CounterState, CounterEvent>({
        ...{ aggregate: counter, id: 'a', tenant: 'acme', context },
        decide: (state, at) => conditional(context, at, count(10)(state)),
      });
    const context = asked([String(revision)]);
    const first = await held(context);
    await run(count(100));
    expect(await failure(held(asked([String(revision)])))).to.be.an.instanceOf(CommandRefused);
    for (const again of [context, { ...context, mayRepeat: true }]) {
      executor = executorOver(store);
      expect(await held(again)).to.deep.include({ events: first.events, position: first.position });
    }
    expect(await lengthOf()).to.equal(3);
  });

  it('gives up with TooContended when others are always faster', async () => {
    let attempts = 0;
    const contended = executorOver({
      ...store,
      append: async (stream, expected) => {
        attempts += 1;
        throw new WrongExpectedRevision(stream, expected, attempts);
      },
    });
    expect(await failure(run(count(1), someContext(), contended))).to.be.instanceOf(TooContended);
    expect(attempts).to.equal(8);
  });

  it('answers a repeated command as the first time, from memory, from a cold start, and far behind', async () => {
    const context = someContext();
    const first = await run(count(5), context);
    expect(await run(count(5), context)).to.deep.include({ events: first.events, position: first.position });
    expect((await run(count(5), context, executorOver(store))).position).to.equal(first.position);
    for (let i = 0; i < 450; i += 1) await run(count(1));
    const cold = await run(count(5), { ...context, mayRepeat: true }, executorOver(store));
    expect(cold).to.deep.include({ events: first.events, position: first.position, revision: 0 });
    expect(await lengthOf()).to.equal(451);
  });

  it('has a single effect when the answer of the append was lost', async () => {
    let lost = false;
    const lossy = executorOver({
      ...store,
      append: async (stream, expected, events) => {
        const appended = await store.append(stream, expected, events);
        if (lost) return appended;
        lost = true;
        throw new StoreUnavailable('the answer was lost');
      },
    });
    const context = someContext();
    expect(await failure(run(count(5), context, lossy))).to.be.instanceOf(StoreUnavailable);
    await run(count(1));
    expect((await run(count(5), context, lossy)).revision).to.equal(0);
    expect(await lengthOf()).to.equal(2);
  });

  it('takes the steps of one command for what they are, and refuses one id for two effects', async () => {
    const context = someContext();
    await run(count(1), context);
    expect(String(await failure(run(close, context)))).to.contain('derive a context for each step');
    await run(close, step(context, 'close'));
    expect((await executor.load(counter, 'a')).state.closed).to.be.true;
  });

  it('goes on where retention has expired the whole stream', async () => {
    await run(count(1));
    await store.setRetention('counter-a', { truncateBefore: 1 });
    expect((await run(count(2), someContext(), executorOver(store))).revision).to.equal(1);
  });

  it('names the event that it cannot read, and touches nothing', async () => {
    const metadata = {
      ...{ tenant: null, actor: { id: 'x', face: 'y' }, correlationId: 'c', causationId: 'd' },
      ...{ at: '2030-01-01T00:00:00.000Z', schema: 2 },
    };
    await store.append('counter-a', 'none', [
      { id: randomUUID(), type: 'Counted', data: { by: 1 }, metadata },
    ]);
    const error = await failure(run(count(1)));
    expect(error).to.be.instanceOf(UnreadableStream);
    expect(error).to.deep.include({ stream: 'counter-a', revision: 0 });
    expect(await lengthOf()).to.equal(1);
  });

  it('reads the last event alone where it tells everything, of however long a stream', async () => {
    const gauge: Aggregate<number, CounterEvent> = {
      name: 'gauge',
      events: counterEvents,
      initial: 0,
      evolve: (_state, event) => (event.type === 'Counted' ? event.data.by : -1),
      lastTellsAll: true,
    };
    let read = 0;
    const counting = executorOver({
      ...store,
      readStream: async (...question) => {
        const events = await store.readStream(...question);
        read += events.length;
        return events;
      },
    });
    const set = (by: number, context = someContext()) =>
      counting.execute({
        aggregate: gauge,
        id: 'a',
        tenant: null,
        context,
        decide: () => [{ type: 'Counted', data: { by } }] as const,
      });
    const context = someContext();
    for (let by = 1; by <= 20; by += 1) await set(by);
    const last = await set(21, context);
    expect(await set(21, context), 'repeated').to.deep.equal(last);
    read = 0;
    expect(await counting.load(gauge, 'a')).to.deep.equal({ state: 21, revision: 20 });
    expect(read).to.equal(1);
    expect(await counting.load(gauge, 'none')).to.deep.equal({ state: 0, revision: 'none' });
  });

  describe('snapshots', () => {
    beforeEach(async () => {
      for (let i = 0; i < 450; i += 1) await run(count(1));
    });

    it('spare a cold fold most of a long stream, and survive JSON', async () => {
      expect(snapshots.kept.get('counter-a')!.revision).to.be.at.least(200);
      const reads: number[] = [];
      const cold = executorOver({
        ...store,
        readStream: async (stream, options) => {
          const page = await store.readStream(stream, options);
          reads.push(page.length);
          return page;
        },
      });
      expect((await cold.load(counter, 'a')).state).to.deep.equal({ total: 450, closed: false });
      expect(reads.reduce((sum, length) => sum + length, 0)).to.be.at.most(251);
    });

    it('are not made of a state that JSON does not keep', async () => {
      const unfit = { ...counter, initial: { total: 0, closed: false, seen: new Set<number>() } };
      snapshots.kept.clear();
      await executorOver(store).load(unfit, 'a');
      expect(snapshots.kept.size).to.equal(0);
      expect(log.lines.some(({ message }) => message.includes('not JSON'))).to.be.true;
    });

    it('of another fold are ignored', async () => {
      const doubled = {
        ...counter,
        snapshotVersion: 2,
        evolve: (state: CounterState, event: CounterEvent): CounterState =>
          event.type === 'Counted' ? { ...state, total: state.total + 2 * event.data.by } : state,
      };
      expect((await executorOver(store).load(doubled, 'a')).state.total).to.equal(900);
    });

    it('of a log that was put back from a backup are ignored', async () => {
      const restored = openMemoryEventStore();
      await run(count(7), someContext(), executorOver(restored));
      expect((await executorOver(restored).load(counter, 'a')).state.total).to.equal(7);
      await restored.close();
    });
  });
});
