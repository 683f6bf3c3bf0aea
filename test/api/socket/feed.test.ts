/** What is told becomes bytes once, however many are told; and what happens to who listens when the log cannot be read. */
import { expect } from 'chai';
import { type Outlet, subscribe } from '../../../src/api/socket/subscription.ts';
import type { Position } from '../../../src/ports/event-store.ts';
import type { Channel } from '../../../src/projections/announcements/types.ts';
import { openWorld, turn, type World } from './facts.ts';

describe('the feed of sockets', () => {
  const both: readonly Channel[] = ['plugins', 'deployments'];

  /** One that takes whatever it is sent. @param since null: from now on */
  function listener(world: World, since: Position | null) {
    const taken: Buffer[] = [];
    const failures: unknown[] = [];
    const outlet: Outlet = {
      full: false,
      send: (text) => void taken.push(text),
      emptied: async () => undefined,
    };
    subscribe({
      ...world,
      ...{ compare: (a, b) => world.store.compare(a, b), wants: () => true, outlet },
      channels: new Set(both),
      since: since === null ? null : { after: since, within: null },
      failed: (error) => failures.push(error),
    });
    return { taken, failures };
  }

  async function turns(count: number): Promise<void> {
    for (let passed = 0; passed < count; passed += 1) await turn();
  }

  it('makes bytes of an announcement once, for a hundred who listen and a hundred who read behind', async () => {
    const world = await openWorld(3);
    const start = world.feed.position;
    const live = Array.from({ length: 100 }, () => listener(world, null));
    await world.append([
      { channel: 'plugins', frames: 2 },
      { channel: 'deployments', frames: 1 },
    ]);
    const behind = Array.from({ length: 100 }, () => listener(world, start));
    await turns(50);
    expect(world.store.compare(world.feed.position, start)).to.be.greaterThan(0);
    expect(world.made()).to.equal(2);
    const [first] = live;
    expect(first?.taken).to.have.length(3);
    for (const { taken } of [...live, ...behind])
      for (const [index, text] of taken.entries()) expect(text, 'another copy').to.equal(first?.taken[index]);
    for (const { taken } of behind) expect(taken).to.have.length(3);
    await world.stop();
  });

  it('makes nothing of what nobody listens to', async () => {
    const world = await openWorld();
    await world.append([{ channel: 'plugins', frames: 2 }]);
    await turns(10);
    expect(world.made()).to.equal(0);
    await world.stop();
  });

  it('goes on where it was when the log comes back', async () => {
    const world = await openWorld();
    const { taken, failures } = listener(world, null);
    world.breakNext('feed');
    await world.append([{ channel: 'plugins', frames: 2 }]);
    await turns(10);
    expect(taken).to.have.length(0);
    await world.clock.advance(5_000);
    await turns(10);
    expect(taken).to.have.length(2);
    expect(failures).to.deep.equal([]);
    expect(world.log.lines.map(({ level }) => level)).to.deep.equal(['error']);
    await world.stop();
  });

  it('lets go of who reads behind it, and of nobody else, when the past cannot be read', async () => {
    const world = await openWorld();
    const start = world.feed.position;
    const live = listener(world, null);
    await world.append([{ channel: 'plugins', frames: 1 }]);
    await turns(10);
    // So that it must be read from the log.
    await world.clock.advance(31_000);
    world.breakNext('history');
    const { taken, failures } = listener(world, start);
    await turns(10);
    expect([taken.length, failures.length]).to.deep.equal([0, 1]);
    await world.append([{ channel: 'plugins', frames: 1 }]);
    await turns(10);
    expect(live.taken).to.have.length(2);
    expect(taken).to.have.length(0);
    await world.stop();
  });
});
