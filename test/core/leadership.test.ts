import { expect } from 'chai';
import { leadAlone, leadByLease, leaseMs, type Term } from '../../src/core/leadership.ts';
import type { Leases } from '../../src/ports/leases.ts';
import { TermOver, within } from '../../src/core/term-executor.ts';
import { count, counter, someContext } from './counter.ts';
import { failure } from '../support/failure.ts';
import { createFakeExecutor } from '../support/fake-executor.ts';
import { openMemoryLeases } from '../support/memory-leases.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

/** Resolves when the term is over. */
const over = ({ signal }: Term): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

describe('leadership by leases', () => {
  let clock: ReturnType<typeof createVirtualClock>;
  let leases: Leases;
  let processes: { readonly stop: () => Promise<void> }[];

  beforeEach(() => {
    clock = createVirtualClock();
    leases = openMemoryLeases(clock);
    processes = [];
  });
  afterEach(async () => {
    for (const { stop } of processes) await stop();
  });

  /** A process that leads whenever it may. */
  function startProcess(
    own: Partial<Leases> = {},
    work: (term: Term) => Promise<void> = over,
  ): { readonly terms: Term[]; readonly leads: () => boolean; stop(): Promise<void> } {
    const stopping = new AbortController();
    const terms: Term[] = [];
    let working = 0;
    const leadership = leadByLease({
      ...{ leases: { ...leases, ...own }, holder: 'test', clock, log: createRecordingLog() },
    });
    const led = leadership.lead('rollouts', stopping.signal, async (term) => {
      terms.push(term);
      working += 1;
      await work(term).finally(() => (working -= 1));
    });
    const started = {
      terms,
      leads: () => working > 0,
      stop: async () => {
        stopping.abort();
        await led;
      },
    };
    processes.push(started);
    return started;
  }

  it('is of one process at a time, for as long as it prolongs its lease', async () => {
    const first = startProcess();
    await clock.advance(0);
    const second = startProcess();
    await clock.advance(20 * leaseMs);
    expect(first.terms.map(({ fence }) => fence)).to.deep.equal([1]);
    expect(first.leads()).to.equal(true);
    expect(second.terms).to.deep.equal([]);
  });

  it('passes on within a second when a process stops', async () => {
    const first = startProcess();
    await clock.advance(0);
    const second = startProcess();
    await clock.advance(1_500);
    await first.stop();
    await clock.advance(1_000);
    expect(first.leads()).to.equal(false);
    expect(second.terms.map(({ fence }) => fence)).to.deep.equal([2]);
  });

  it('passes on within the time of a lease when a process falls silent, which ends its term before that', async () => {
    let silent = false;
    const first = startProcess({
      renew: async (...asked) => (silent ? new Promise(() => undefined) : leases.renew(...asked)),
      release: async () => undefined,
    });
    await clock.advance(0);
    const second = startProcess();
    await clock.advance(25_000);
    silent = true;
    const ended = first.terms[0]?.signal;
    for (let waited = 0; second.terms.length === 0; waited += 100) {
      expect(waited, 'milliseconds').to.be.at.most(leaseMs + 1_000);
      await clock.advance(100);
    }
    expect(ended?.aborted).to.equal(true);
    expect(second.terms.map(({ fence }) => fence)).to.deep.equal([2]);
  });

  it('ends at once when the lease has gone to another', async () => {
    const first = startProcess();
    await clock.advance(0);
    // For the store more time has passed than for this process.
    clock.jump(clock.now() + leaseMs);
    expect(await leases.acquire('rollouts', 'another', leaseMs)).to.include({ fence: 2 });
    await clock.advance(leaseMs / 4);
    expect(first.terms[0]?.signal.aborted).to.equal(true);
    expect(first.leads()).to.equal(false);
  });

  it("is over by the process's own clock before any of its timers has noticed", async () => {
    const first = startProcess();
    await clock.advance(3_000);
    const [term] = first.terms;
    expect(term?.isOver()).to.equal(false);
    // The process was stopped: time has passed, and none of its timers has run.
    const passed = clock.monotonic() + leaseMs;
    const now = clock.monotonic();
    clock.monotonic = () => passed;
    expect(term?.isOver()).to.equal(true);
    expect(term?.signal.aborted).to.equal(false);
    const events: string[] = [];
    const executor = within(term!, {
      ...createFakeExecutor(),
      execute: async (command) => {
        const decided = command.decide(command.aggregate.initial, 'none');
        events.push('decided');
        return { state: command.aggregate.initial, revision: 'none', events: [], position: null, decided };
      },
    });
    const command = { aggregate: counter, id: 'a', tenant: null, context: someContext(), decide: count(1) };
    expect(await failure(executor.execute(command))).to.be.instanceOf(TermOver);
    expect(events).to.deep.equal([]);
    clock.monotonic = () => now;
    await executor.execute(command);
    expect(events).to.deep.equal(['decided']);
  });

  it('goes on over a store that cannot be asked for a while', async () => {
    let failures = 2;
    const first = startProcess({
      renew: async (...asked) => {
        if ((failures -= 1) >= 0) throw new Error('no connection');
        return leases.renew(...asked);
      },
    });
    await clock.advance(10 * leaseMs);
    expect(failures).to.be.below(0);
    expect(first.terms).to.have.length(1);
    expect(first.leads()).to.equal(true);
  });

  it('asks again when the store could not be asked at all', async () => {
    let failures = 3;
    const first = startProcess({
      acquire: async (...asked) => {
        if ((failures -= 1) >= 0) throw new Error('no connection');
        return leases.acquire(...asked);
      },
    });
    await clock.advance(4_000);
    expect(first.leads()).to.equal(true);
  });

  it('begins work again that has failed, with a higher fence', async () => {
    let failures = 2;
    const first = startProcess({}, async (term) => {
      if ((failures -= 1) >= 0) throw new Error('it failed');
      await over(term);
    });
    await clock.advance(3_000);
    expect(first.terms.map(({ fence }) => fence)).to.deep.equal([1, 2, 3]);
    expect(first.leads()).to.equal(true);
  });

  it('is given back only when the work has ended', async () => {
    const ending = Promise.withResolvers<undefined>();
    const first = startProcess({}, async (term) => {
      await over(term);
      await ending.promise;
    });
    await clock.advance(0);
    const second = startProcess();
    const stopped = first.stop();
    await clock.advance(2_000);
    expect(second.leads()).to.equal(false);
    ending.resolve(undefined);
    await stopped;
    await clock.advance(1_000);
    expect(second.leads()).to.equal(true);
  });
});

describe('leadership of who is alone', () => {
  it('begins at once, lasts until the end, and needs no clock', async () => {
    const clock = createVirtualClock();
    const stopping = new AbortController();
    const terms: Term[] = [];
    const led = leadAlone({ clock, log: createRecordingLog() }).lead(
      'rollouts',
      stopping.signal,
      async (term) => {
        terms.push(term);
        await over(term);
      },
    );
    expect(terms.map(({ fence }) => fence)).to.deep.equal([null]);
    expect(clock.pending()).to.equal(0);
    stopping.abort();
    await led;
  });
});
