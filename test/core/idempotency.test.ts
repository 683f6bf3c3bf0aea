import { expect } from 'chai';
import { createExecutor } from '../../src/core/command-executor.ts';
import { commandEvents } from '../../src/core/command-record.ts';
import { AnswerExpired, createIdempotency, IdempotencyKeyReused } from '../../src/core/idempotency.ts';
import type { Answer, Idempotency } from '../../src/core/idempotency.ts';
import type { Executor } from '../../src/core/executor.ts';
import { TooBusy } from '../../src/core/gate.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import type { EventStore } from '../../src/ports/event-store.ts';
import { failure } from '../support/failure.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';
import { openMemoryVault } from '../support/memory-vault.ts';
import type { Vault } from '../../src/ports/vault.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { count, counter, counterEvents, someContext } from './counter.ts';

describe('idempotency', () => {
  const schemas = createSchemas([counterEvents, commandEvents]);
  const log = createRecordingLog();
  let clock: ReturnType<typeof createVirtualClock>;
  let store: EventStore;
  let vault: Vault;
  let executor: Executor;
  let idempotency: Idempotency;

  /** A server: what it holds in memory is gone when the next one boots over the same log and vault. */
  function boot(over: EventStore = store, sealed: Vault = vault) {
    executor = createExecutor({ store: over, schemas, snapshots: null, clock, log });
    idempotency = createIdempotency({ executor, vault: sealed, clock, log });
  }
  beforeEach(() => {
    clock = createVirtualClock();
    store = openMemoryEventStore();
    vault = openMemoryVault(clock);
    boot();
  });
  afterEach(() => store.close());

  const request = (body: string, key = 'k1', principal = 'usr_a') => ({
    ...{ principal, method: 'POST', path: '/api/v1/plugins', key, body, tenant: 'acme' },
    ...{ actor: { id: principal, face: 'pm' }, correlationId: 'c' },
  });
  /** Two streams, so that a crash may fall between them; the answer tells what was appended. */
  const work =
    (by: number, status = 201) =>
    async (given: { readonly commandId: string; readonly mayRepeat: boolean }): Promise<Answer> => {
      const context = { ...someContext(given.commandId), mayRepeat: given.mayRepeat };
      const base = { aggregate: counter, tenant: null, context, decide: count(by) };
      const [a, b] = [
        await executor.execute({ ...base, id: 'a' }),
        await executor.execute({ ...base, id: 'b' }),
      ];
      return { status, headers: { location: '/x' }, body: { at: [a.revision, b.revision] } };
    };
  const totals = async () => [
    (await executor.load(counter, 'a')).state.total,
    (await executor.load(counter, 'b')).state.total,
  ];

  it('gives 50 requests at once one effect and one answer', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => idempotency.run(request('x'), work(1))));
    expect(new Set(all.map(({ answer }) => JSON.stringify(answer))).size).to.equal(1);
    expect(all.filter(({ replayed }) => !replayed)).to.have.length(1);
    expect(await totals()).to.deep.equal([1, 1]);
  });

  describe('of several processes', () => {
    /** Another process over the same log and vault. */
    const another = (sealed: Vault = vault) =>
      createIdempotency({
        executor: createExecutor({ store, schemas, snapshots: null, clock, log }),
        ...{ vault: sealed, clock, log, isShared: true },
      });
    /** Time passes until it is settled. */
    async function passes<T>(asked: Promise<T>): Promise<T> {
      const state = { settled: false };
      void asked.then(
        () => (state.settled = true),
        () => (state.settled = true),
      );
      while (!state.settled) await clock.advance(20);
      return asked;
    }

    it('gives 50 requests at once one effect and one answer, whichever of them each is sent to', async () => {
      const processes = Array.from({ length: 5 }, () => another());
      let executed = 0;
      const counted: ReturnType<typeof work> = async (given) => {
        const answer = await work(1)(given);
        return { ...answer, body: { executed: (executed += 1) } };
      };
      const asked = Array.from({ length: 50 }, (_, index) =>
        processes[index % 5]!.run(request('x'), counted),
      );
      const all = await passes(Promise.all(asked));
      expect(new Set(all.map(({ answer }) => JSON.stringify(answer))).size).to.equal(1);
      expect(all.filter(({ replayed }) => !replayed)).to.have.length(1);
      expect(await totals()).to.deep.equal([1, 1]);
    });

    it('is busy while another is at it for long, and goes on when that one is gone', async () => {
      const hangs = another().run(request('x'), () => new Promise<Answer>(() => undefined));
      hangs.catch(() => undefined);
      await clock.advance(1_000);
      const refused = await failure(passes(another().run(request('x'), work(1))));
      expect(refused).to.be.instanceOf(TooBusy);
      await clock.advance(5_000);
      expect(await passes(another().run(request('x'), work(1)))).to.include({ replayed: false });
      expect(await totals()).to.deep.equal([1, 1]);
    });
  });

  it('replays the answer after a restart, and tells keys and principals apart', async () => {
    const { answer } = await idempotency.run(request('x'), work(1));
    boot();
    expect(await idempotency.run(request('x'), work(1))).to.deep.equal({ answer, replayed: true });
    await idempotency.run(request('x', 'k2'), work(1));
    await idempotency.run(request('x', 'k1', 'usr_b'), work(1));
    expect(await totals()).to.deep.equal([3, 3]);
  });

  it('refuses another body, at once and later', async () => {
    const first = idempotency.run(request('x'), work(1));
    const second = idempotency.run(request('y'), work(1));
    expect(await failure(second)).to.be.instanceOf(IdempotencyKeyReused);
    await first;
    expect(await failure(idempotency.run(request('y'), work(1)))).to.be.instanceOf(IdempotencyKeyReused);
    expect(await totals()).to.deep.equal([1, 1]);
  });

  it('frees the key when nothing was decided, also for another body', async () => {
    for (const status of [400, 401, 403, 429, 500, 503]) {
      const undecided = await idempotency.run(request('x'), async () => ({
        status,
        headers: {},
        body: null,
      }));
      expect(undecided.replayed).to.be.false;
    }
    expect((await idempotency.run(request('y'), work(2))).answer.status).to.equal(201);
    expect(await totals()).to.deep.equal([2, 2]);
  });

  it('keeps apart what two bodies did under one key that was released between them', async () => {
    await idempotency.run(request('x'), work(1, 503));
    await idempotency.run(request('y'), work(10));
    expect(await totals()).to.deep.equal([11, 11]);
  });

  it('frees the key when the work throws', async () => {
    const broken = idempotency.run(request('x'), async () => Promise.reject(new Error('broken')));
    expect(String(await failure(broken))).to.contain('broken');
    expect((await idempotency.run(request('x'), work(1))).replayed).to.be.false;
  });

  it('says so when the answer is no longer kept, and does not act again', async () => {
    await idempotency.run(request('x'), work(1));
    clock.jump(clock.now() + 25 * 3_600_000);
    expect(await failure(idempotency.run(request('x'), work(1)))).to.be.instanceOf(AnswerExpired);
    expect(await totals()).to.deep.equal([1, 1]);
  });

  it('puts the body in no event', async () => {
    await idempotency.run(request('{"password":"hunter2"}'), work(1));
    const { events } = await store.readAll({ after: null, limit: 100 });
    expect(JSON.stringify(events)).not.to.contain('hunter2');
  });

  for (const when of ['before', 'after'] as const) {
    it(`has one effect when the server dies ${when} any of its writes`, async () => {
      let point = 0;
      for (let survived = false; !survived; point += 1) {
        store = openMemoryEventStore();
        vault = openMemoryVault(clock);
        let writes = 0;
        let dead = false;
        const mortal = async <T>(write: () => Promise<T>): Promise<T> => {
          dead ||= writes === point && when === 'before';
          if (dead) throw new Error('dead');
          const done = await write();
          dead ||= writes === point;
          writes += 1;
          if (dead) throw new Error('dead');
          return done;
        };
        boot(
          { ...store, append: (...append) => mortal(() => store.append(...append)) },
          { ...vault, put: (...put) => mortal(() => vault.put(...put)) },
        );
        survived = await idempotency.run(request('x'), work(1)).then(
          () => true,
          () => false,
        );
        boot();
        const { answer } = await idempotency.run(request('x'), work(1));
        expect(answer).to.deep.equal({ status: 201, headers: { location: '/x' }, body: { at: [0, 0] } });
        expect(await totals()).to.deep.equal([1, 1]);
      }
      expect(point).to.equal(6);
    });
  }
});
