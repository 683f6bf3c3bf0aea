/** Whatever happens meanwhile, a reader is told everything once and in order, and no backlog is kept for it. */
import { expect } from 'chai';
import fc from 'fast-check';
import { parseCursor } from '../../../src/api/socket/cursor.ts';
import type { Feed } from '../../../src/api/socket/feed.ts';
import type { History } from '../../../src/api/socket/history.ts';
import { type Outlet, subscribe, type Subscription } from '../../../src/api/socket/subscription.ts';
import type { EventStore } from '../../../src/ports/event-store.ts';
import type { Channel } from '../../../src/projections/announcements/types.ts';
import { announced, openWorld, turn, type Fact } from './facts.ts';

type Step =
  | { readonly do: 'append'; readonly facts: readonly Fact[] }
  | { readonly do: 'turn' }
  /** The feed loses the log for a moment. */
  | { readonly do: 'break' }
  /** So long that what was told last is not kept any more: who has not heard it reads the log. */
  | { readonly do: 'forget' }
  /** The reader takes so many of the frames that were sent to it. */
  | { readonly do: 'drain'; readonly who: number; readonly frames: number }
  /** The connection is lost with all that was on its way; the reader comes back with what it had. */
  | { readonly do: 'reconnect'; readonly who: number };

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
    { weight: 1, arbitrary: fc.constant<Step>({ do: 'break' }) },
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
          const world = await openWorld(lag, [{ channel: 'plugins', frames: 1 }]);
          const { clock, store, log } = world;
          const readers = named.map((channels) => openReader(world, channels));

          for (const step of taken) {
            if (step.do === 'append') await world.append(step.facts);
            else if (step.do === 'turn') await turn();
            else if (step.do === 'break') world.breakNext('feed');
            else if (step.do === 'forget') await clock.advance(31_000);
            else readers[step.who]?.[step.do](step.do === 'drain' ? step.frames : 0);
          }
          await world.append([...last, { channel: 'deployments', frames: 2 }]);

          const { events } = await store.readAll({ after: null, limit: 1_000 });
          for (const reader of readers) {
            const { channels, start, received } = reader;
            const expected = events
              .filter((event) => store.compare(event.position, start) > 0)
              .flatMap(announced)
              .filter(({ channel }) => channels.has(channel))
              .map(({ id }) => id);
            for (let turns = 0; turns < 2_000 && received.length < expected.length; turns += 1) {
              // A feed that lost the log tries again.
              if (turns % 20 === 19) await clock.advance(5_000);
              await turn();
              reader.drain(capacity);
            }
            await turn();
            reader.drain(capacity);
            expect(received.map(({ id }) => id)).to.deep.equal(expected);
            expect(reader.most()).to.be.at.most(capacity);
          }
          const known = 'sockets are told nothing for now; it is tried again';
          expect(log.lines.filter(({ message }) => message !== known)).to.deep.equal([]);
          await world.stop();
        },
      ),
      { numRuns },
    );
  });

  it('that resumes in the middle of an event, on more channels than before, is told what comes after it', async () => {
    const world = await openWorld();
    const { store, history } = world;
    const start = await store.head();
    await world.append([
      { channel: 'plugins', frames: 1 },
      { channel: 'deployments', frames: 2 },
      { channel: 'plugins', frames: 1 },
    ]);
    const { events } = await store.readAll({ after: null, limit: 10 });
    // As one of deployments alone was told: it stands in the middle of the second event.
    const { entries } = await history.page(start, new Set<Channel>(['deployments']));
    const frame = entries[0]?.frames[0];
    const { position } = JSON.parse(frame?.text.toString() ?? '') as { position: string };
    expect(parseCursor(position).within).to.deep.equal({ event: events[1]?.position, frames: 1 });

    const sent: string[] = [];
    subscribe({
      ...world,
      ...{ compare: (a, b) => store.compare(a, b), wants: () => true },
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
    await world.stop();
  });
});
