/** Whatever happens meanwhile, a reader is told everything once and in order, and no backlog is kept for it. */
import { expect } from 'chai';
import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { parseCursor } from '../../../src/api/socket/cursor.ts';
import { type Feed, startFeed } from '../../../src/api/socket/feed.ts';
import { createHistory, type History } from '../../../src/api/socket/history.ts';
import { createRenderer } from '../../../src/api/socket/renderer.ts';
import { type Outlet, subscribe, type Subscription } from '../../../src/api/socket/subscription.ts';
import type { EventStore, RecordedEvent } from '../../../src/ports/event-store.ts';
import type { Announcement, Channel } from '../../../src/projections/announcements/types.ts';
import { openMemoryEventStore } from '../../support/memory-event-store.ts';
import { createRecordingLog } from '../../support/recording-log.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

/** An event of a channel, told by so many frames. */
interface Fact {
  readonly channel: 'plugins' | 'deployments';
  readonly frames: number;
}
type Step =
  | { readonly do: 'append'; readonly facts: readonly Fact[] }
  | { readonly do: 'turn' }
  /** So long that what was told last is not kept any more: who has not heard it reads the log. */
  | { readonly do: 'forget' }
  /** The reader takes so many of the frames that were sent to it. */
  | { readonly do: 'drain'; readonly who: number; readonly frames: number }
  /** The connection is lost with all that was on its way; the reader comes back with what it had. */
  | { readonly do: 'reconnect'; readonly who: number };

const eventTypes = { plugins: 'PluginRegistered', deployments: 'DeploymentRequested' } as const;
const capacity = 4;
/** Readers share what is made into bytes, and each stands elsewhere. */
const audience = fc.array(fc.subarray<Channel>(['plugins', 'deployments'], { minLength: 1 }), {
  minLength: 1,
  maxLength: 3,
});
const who = fc.nat({ max: 2 });

const facts = fc.array(
  fc.record<Fact>({
    channel: fc.constantFrom('plugins', 'deployments'),
    frames: fc.constantFrom(0, 1, 2, 2, 3),
  }),
  { minLength: 1, maxLength: 6 },
);
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: facts.map((all): Step => ({ do: 'append', facts: all })) },
    { weight: 4, arbitrary: fc.constant<Step>({ do: 'turn' }) },
    { weight: 1, arbitrary: fc.constant<Step>({ do: 'forget' }) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(who, fc.integer({ min: 1, max: capacity }))
        .map(([reader, frames]): Step => ({ do: 'drain', who: reader, frames })),
    },
    { weight: 2, arbitrary: who.map((reader): Step => ({ do: 'reconnect', who: reader })) },
  ),
  { maxLength: 60 },
);

const numRuns = process.env['SLIPWAY_LONG'] === undefined ? 3_000 : 100_000;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function announced(event: RecordedEvent): readonly Announcement[] {
  const channel: Channel = event.type === eventTypes.plugins ? 'plugins' : 'deployments';
  return Array.from({ length: Number(event.data['frames']) }, (_, index) => ({
    ...{ id: `${event.id}/${index}`, eventId: event.id, channel, position: event.position },
    ...{ type: channel === 'plugins' ? 'plugin:edited' : 'deployment:status' },
    ...{ tenant: null, visibility: 'public', timestamp: event.metadata.at, data: {} },
  }));
}

/** Its subscribers hear of everything some turns late. */
function slow(store: EventStore, turns: number): EventStore {
  return {
    ...store,
    subscribe: async function* (options) {
      for await (const batch of store.subscribe(options)) {
        for (let passed = 0; passed < turns; passed += 1) await turn();
        yield batch;
      }
    },
  };
}

async function append(store: EventStore, all: readonly Fact[]): Promise<void> {
  for (const { channel, frames } of all) {
    const metadata = {
      ...{ tenant: null, actor: { id: 'usr_1', face: 'test' }, correlationId: 'c', causationId: 'c' },
      ...{ at: '2030-01-01T00:00:00.000Z', schema: 1 },
    };
    const event = { id: randomUUID(), type: eventTypes[channel], data: { frames }, metadata };
    await store.append(`plugin-${event.id}`, 'none', [event]);
  }
}

/** A client whose connection takes a few frames and then nothing until it is read from. */
function openReader(
  world: { feed: Feed; history: History; store: EventStore },
  channels: readonly Channel[],
) {
  const received: { readonly id: string; readonly position: string }[] = [];
  let waiting: Buffer[] = [];
  let most = 0;
  let emptied = (): void => undefined;
  let subscription: Subscription;

  function connect(since: string | null): void {
    const own: Buffer[] = (waiting = []);
    const outlet: Outlet = {
      get full() {
        return own.length >= capacity;
      },
      send(text) {
        own.push(text);
        most = Math.max(most, own.length);
      },
      async emptied() {
        while (own.length > 0 && own === waiting) await new Promise<void>((resolve) => (emptied = resolve));
      },
    };
    subscription = subscribe({
      ...world,
      ...{
        compare: (a, b) => world.store.compare(a, b),
        outlet,
        channels: new Set(channels),
        wants: () => true,
      },
      since: since === null ? null : parseCursor(since),
      failed: (error) => expect.fail(String(error)),
    });
  }

  const start = world.feed.position;
  connect(null);
  return {
    channels: new Set<Channel>(channels),
    start,
    received,
    most: () => most,
    drain(frames: number): void {
      for (const text of waiting.splice(0, frames)) {
        received.push(JSON.parse(text.toString()) as { id: string; position: string });
      }
      emptied();
    },
    reconnect(): void {
      for (const channel of channels) subscription.drop(channel);
      const before = emptied;
      connect(received.at(-1)?.position ?? start);
      before();
    },
  };
}

describe('a subscription', function () {
  this.timeout(numRuns * 20);
  it('tells all once and in order, whoever else listens, over overflows and lost connections', async () => {
    await fc.assert(
      fc.asyncProperty(
        audience,
        steps,
        facts,
        fc.integer({ min: 0, max: 6 }),
        async (named, taken, last, lag) => {
          const clock = createVirtualClock();
          const store = openMemoryEventStore({ clock });
          const log = createRecordingLog();
          await append(store, [{ channel: 'plugins', frames: 1 }]);
          const announcer = { announce: async (event: RecordedEvent) => announced(event) };
          const renderer = createRenderer({ announcer, log });
          const others = { types: [], see: () => undefined };
          const feed = await startFeed({ store: slow(store, lag), renderer, clock, log, others });
          const history = createHistory({ store, renderer });
          const readers = named.map((channels) => openReader({ feed, history, store }, channels));

          for (const step of taken) {
            if (step.do === 'append') await append(store, step.facts);
            else if (step.do === 'turn') await turn();
            else if (step.do === 'forget') await clock.advance(31_000);
            else readers[step.who]?.[step.do](step.do === 'drain' ? step.frames : 0);
          }
          await append(store, [...last, { channel: 'deployments', frames: 2 }]);

          const { events } = await store.readAll({ after: null, limit: 1_000 });
          for (const reader of readers) {
            const { channels, start, received } = reader;
            const expected = events
              .filter((event) => store.compare(event.position, start) > 0)
              .flatMap(announced)
              .filter(({ channel }) => channels.has(channel))
              .map(({ id }) => id);
            for (let turns = 0; turns < 2_000 && received.length < expected.length; turns += 1) {
              await turn();
              reader.drain(capacity);
            }
            await turn();
            reader.drain(capacity);
            expect(received.map(({ id }) => id)).to.deep.equal(expected);
            expect(reader.most()).to.be.at.most(capacity);
          }
          expect(log.lines).to.deep.equal([]);
          await feed.stop();
          await store.close();
        },
      ),
      { numRuns },
    );
  });

  it('that resumes in the middle of an event, on more channels than before, is told what comes after it', async () => {
    const clock = createVirtualClock();
    const store = openMemoryEventStore({ clock });
    const log = createRecordingLog();
    const renderer = createRenderer({ announcer: { announce: async (event) => announced(event) }, log });
    const start = await store.head();
    await append(store, [
      { channel: 'plugins', frames: 1 },
      { channel: 'deployments', frames: 2 },
      { channel: 'plugins', frames: 1 },
    ]);
    const { events } = await store.readAll({ after: null, limit: 10 });
    const history = createHistory({ store, renderer });
    // As one of deployments alone was told: it stands in the middle of the second event.
    const { entries } = await history.page(start, new Set<Channel>(['deployments']));
    const frame = entries[0]?.frames[0];
    const { position } = JSON.parse(frame?.text.toString() ?? '') as { position: string };
    expect(parseCursor(position).within).to.deep.equal({ event: events[1]?.position, frames: 1 });

    const feed = await startFeed({
      store,
      renderer,
      clock,
      log,
      others: { types: [], see: () => undefined },
    });
    const sent: string[] = [];
    subscribe({
      ...{ feed, history, compare: (a, b) => store.compare(a, b), wants: () => true },
      outlet: {
        full: false,
        send: (text) => void sent.push((JSON.parse(text.toString()) as { id: string }).id),
        emptied: async () => undefined,
      },
      channels: new Set<Channel>(['plugins', 'deployments']),
      since: parseCursor(position),
      failed: (error) => expect.fail(String(error)),
    });
    for (let turns = 0; turns < 50; turns += 1) await turn();
    expect(sent).to.deep.equal([`${events[1]?.id}/1`, `${events[2]?.id}/0`]);
    await feed.stop();
    await store.close();
  });
});
