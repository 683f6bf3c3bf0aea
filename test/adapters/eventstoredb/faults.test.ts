/** What networks and servers do, between the adapter and a real server: nothing acknowledged is lost, nothing is there twice. */
import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { openEventStoreDb } from '../../../src/adapters/eventstoredb/event-store.ts';
import type { EventStore, Position } from '../../../src/ports/event-store.ts';
import { event, events, readToEnd, until } from '../../contract/event-store-given.ts';
import { withStore } from '../../support/stores.ts';
import type { Fault, WireProxy } from '../../support/wire-proxy.ts';
import { appendedAtLast, behindProxy, impatient, restartServer } from './given.ts';

interface Run {
  /** Ids in the order in which each stream acknowledged them. */
  readonly acknowledged: Map<string, string[]>;
  readonly seen: string[];
  /** How many the subscriber has, and the writers. */
  readonly written: () => number;
}

/** Writers and a subscriber go on while something is done to them; then everything is compared with what the server has. */
async function underFire(store: EventStore, url: string, harm: (run: Run) => Promise<void>): Promise<void> {
  const prefix = `faults-${randomUUID()}`;
  const acknowledged = new Map<string, string[]>();
  const seen: string[] = [];
  const written = (): number => [...acknowledged.values()].reduce((sum, ids) => sum + ids.length, 0);
  const after = await store.head();
  const stop = new AbortController();
  const following = (async () => {
    const filter = { streamPrefixes: [prefix] };
    for await (const batch of store.subscribe({ after, filter, signal: stop.signal }))
      seen.push(...batch.events.map(({ id }) => id));
  })();
  let [writing, failed] = [true, false];
  const writers = Array.from({ length: 8 }, async (_, nth) => {
    const stream = `${prefix}-${nth}`;
    const ids: string[] = [];
    acknowledged.set(stream, ids);
    while (writing) {
      const some = events(1 + (ids.length % 3));
      const expected = ids.length === 0 ? 'none' : ids.length - 1;
      if (await appendedAtLast(store, stream, expected, some, () => failed))
        ids.push(...some.map(({ id }) => id));
    }
  });
  await harm({ acknowledged, seen, written })
    .catch((error: unknown) => {
      failed = true;
      throw error;
    })
    .finally(() => (writing = false));
  await Promise.all(writers);
  await until(() => seen.length >= written());
  stop.abort();
  await following;

  const direct = await openEventStoreDb({ url });
  try {
    const { events: there } = await readFrom(direct, after, prefix);
    for (const [stream, ids] of acknowledged)
      expect(there.filter((one) => one.stream === stream).map(({ id }) => id)).to.deep.equal(ids);
    expect(seen).to.deep.equal(there.map(({ id }) => id));
  } finally {
    await direct.close();
  }
}

async function readFrom(store: EventStore, after: Position, prefix: string) {
  const filter = { streamPrefixes: [prefix] };
  const read = [];
  for (let at = after; ;) {
    const page = await store.readAll({ after: at, limit: 1_000, filter });
    read.push(...page.events);
    at = page.next;
    if (page.end) return { events: read };
  }
}

withStore('EVENTSTORE_URL', 'EventStoreDB behind a bad wire', (url) => {
  let proxy: WireProxy;
  let store: EventStore;
  beforeEach(async () => {
    const behind = await behindProxy(url);
    ({ proxy } = behind);
    store = await openEventStoreDb({ url: behind.url, patienceMs: 1_000 });
  });
  afterEach(async () => {
    proxy.heal();
    await store.close();
    await proxy.close();
  });

  /** Goes on once the writers have got so much further. */
  const progress = async (run: Run, events = 40): Promise<void> => {
    const goal = run.written() + events;
    await until(() => run.written() >= goal);
  };

  it('loses and repeats nothing when connections are cut again and again', () =>
    underFire(store, url, async (run) => {
      for (let cut = 0; cut < 8; cut += 1) {
        await progress(run);
        proxy.cut();
      }
      await progress(run);
    }));

  for (const [what, fault] of [
    ['right after the server had done what it was asked', { kind: 'reset', direction: 'down', after: 0 }],
    ['in the middle of an append', { kind: 'reset', direction: 'up', after: 700 }],
    ['in the middle of an answer', { kind: 'reset', direction: 'down', after: 60 }],
  ] as const satisfies readonly (readonly [string, Fault])[])
    it(`loses and repeats nothing when a connection is reset ${what}`, () =>
      underFire(store, url, async (run) => {
        for (let reset = 0; reset < 5; reset += 1) {
          await progress(run);
          proxy.fault(fault);
          await proxy.struck();
        }
        await progress(run);
      }));

  for (const [what, fault] of [
    ['is half-open, and comes back', { kind: 'swallow', direction: 'both' }],
    ['swallows answers alone', { kind: 'swallow', direction: 'down' }],
    ['stands still, and goes on', { kind: 'hold', direction: 'both' }],
    ['takes no connection for a while', { kind: 'refuse' }],
  ] as const satisfies readonly (readonly [string, Fault])[])
    it(`loses and repeats nothing when the wire ${what}`, () =>
      underFire(store, url, async (run) => {
        await progress(run);
        proxy.fault(fault);
        if (fault.kind === 'refuse') proxy.cut();
        // Longer than keepalives and appends wait.
        await pause(3_500);
        proxy.heal();
        await progress(run);
      }));

  it('finds out by itself that a connection is dead, though nobody writes', async () => {
    const stream = `faults-${randomUUID()}`;
    const direct = await openEventStoreDb({ url });
    const stop = new AbortController();
    const seen: string[] = [];
    const filter = { streamPrefixes: [stream] };
    const after = await store.head();
    const following = (async () => {
      for await (const batch of store.subscribe({ after, filter, signal: stop.signal }))
        seen.push(...batch.events.map(({ id }) => id));
    })();
    try {
      const [first, second] = [event(), event()];
      await direct.append(stream, 'none', [first]);
      await until(() => seen.length === 1);
      const { made } = proxy;
      // Connections that are open are dead for good; new ones are made, and work.
      proxy.fault({ kind: 'swallow', direction: 'both' });
      await direct.append(stream, 0, [second]);
      await until(() => proxy.made > made || proxy.open === 0);
      proxy.heal();
      await until(() => seen.length === 2);
      expect(seen).to.eql([first.id, second.id]);
    } finally {
      stop.abort();
      await following;
      await direct.close();
    }
  });

  it('is slow where the wire is slow, and no more', () =>
    underFire(store, url, async (run) => {
      proxy.fault({ kind: 'delay', ms: 20 });
      await progress(run);
    }));
});

withStore('EVENTSTORE_URL', 'EventStoreDB that is restarted', (url) => {
  withStore('EVENTSTORE_RESTART', 'by a command', () => {
    it('loses and repeats nothing when its server is killed and started again', async function () {
      this.timeout(180_000);
      const store = await openEventStoreDb({ url: `${url}${impatient}`, patienceMs: 1_000 });
      try {
        await underFire(store, url, async (run) => {
          for (let killed = 0; killed < 3; killed += 1) {
            const goal = run.written() + 200;
            await until(() => run.written() >= goal);
            await restartServer();
          }
          const goal = run.written() + 200;
          await until(() => run.written() >= goal);
        });
      } finally {
        await store.close();
      }
    });
  });
});

withStore('EVENTSTORE_URL', 'what the client of EventStoreDB would trip over', (url) => {
  let store: EventStore;
  beforeEach(async () => void (store = await openEventStoreDb({ url })));
  afterEach(() => store.close());

  it('sends many appends at once, and answers each with its own place', async () => {
    const prefix = `traps-${randomUUID()}`;
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, nth) => store.append(`${prefix}-${nth}`, 'none', events(2))),
    );
    expect(new Set(answers.map(({ position }) => position)).size).to.equal(500);
    const { events: there } = await readToEnd(store, { streamPrefixes: [prefix] });
    expect(there).to.have.length(1_000);
    // In the order in which they were sent.
    expect(there.filter((_, nth) => nth % 2 === 0).map((one) => one.stream)).to.eql(
      answers.map((_, nth) => `${prefix}-${nth}`),
    );
  });

  it('shows no event of the server itself or of its own', async () => {
    const name = `traps-${randomUUID()}`;
    await store.append(name, 'none', events(1));
    await store.setRetention(name, { maxCount: 5 });
    const { events: all } = await readToEnd(store);
    expect(
      all.filter(({ stream, type }) => /^[$]|^slipway-log$/.test(stream) || type.startsWith('$')),
    ).to.eql([]);
  });

  it('refuses names that are the server’s', async () => {
    for (const name of ['$mine', 'slipway-log'])
      await store.append(name, 'none', events(1)).then(
        () => expect.fail('it was taken'),
        (error: unknown) => expect(error).to.be.instanceOf(RangeError),
      );
  });

  it('says that an append is too large, and serves its neighbours', async () => {
    for (const mebibytes of [2, 5, 20]) {
      const large = event({ data: { text: 'x'.repeat(mebibytes * 1024 * 1024) } });
      const name = `traps-${randomUUID()}`;
      const [refused, taken] = await Promise.allSettled([
        store.append(`${name}-large`, 'none', [large]),
        store.append(name, 'none', events(1)),
      ]);
      expect(refused).to.have.nested.property('reason.message').that.contains('MaxAppendSize');
      expect(taken.status).to.equal('fulfilled');
    }
  });

  it('keeps what another set in a stream’s metadata, and its own retention among several who set it', async () => {
    const name = `traps-${randomUUID()}`;
    await Promise.all([1, 2, 3, 4].map((maxCount) => store.setRetention(name, { maxCount })));
    expect((await store.retention(name)).maxCount).to.be.oneOf([1, 2, 3, 4]);
  });

  it('settles a repetition whose events retention hides', async () => {
    const name = `traps-${randomUUID()}`;
    const given = events(3);
    const answer = await store.append(name, 'none', given);
    await store.append(name, 2, events(3));
    await store.setRetention(name, { maxCount: 1 });
    const another = await openEventStoreDb({ url });
    try {
      expect(await another.append(name, 'none', given)).to.deep.equal(answer);
    } finally {
      await another.close();
    }
  });

  it('is one log to everybody who opens it at once', async () => {
    const opened = await Promise.all([1, 2, 3].map(() => openEventStoreDb({ url })));
    expect(new Set(opened.map(({ logId }) => logId))).to.eql(new Set([store.logId]));
    for (const one of opened) await one.close();
  });

  it('starts no second scavenge on the same day, and says that it removed nothing', async () => {
    const eager = await openEventStoreDb({ url, scavengePauseMs: 0 });
    await eager.scavenge();
    await eager.close();
    expect(await store.scavenge()).to.eql({ removed: 0 });
  });
});
