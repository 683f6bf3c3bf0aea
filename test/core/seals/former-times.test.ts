/** Where a log that was moved stood before the move: its new store would say that there was nothing. */
import { expect } from 'chai';
import { withFormerTimes } from '../../../src/core/seals/former-times.ts';
import type { Position } from '../../../src/ports/event-store.ts';
import type { Leaf } from '../../../src/ports/seals.ts';
import { event } from '../../contract/event-store-given.ts';
import { openMemoryEventStore } from '../../support/memory-event-store.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';
import { testSigner } from './world.ts';

describe('times of a log that was moved', () => {
  const clock = createVirtualClock();
  const hour = 3_600_000;
  const iso = (ms: number): string => new Date(ms).toISOString();

  /** Ten events, an hour between each; moved 24 hours after the first. */
  async function movedLog() {
    const start = clock.now();
    await clock.advance(24 * hour);
    const store = openMemoryEventStore({ clock });
    const positions: Position[] = [];
    for (let n = 0; n < 10; n += 1)
      positions.push((await store.append(`stream-${n}`, 'none', [event()])).position);
    const none = new Uint8Array();
    const leaves = positions.map((position, index): Leaf => {
      const at = iso(start + index * hour);
      return { index, position, stream: `stream-${index}`, revision: 0, at, content: none, hash: none };
    });
    const signer = await testSigner();
    const move = signer.signMove({
      ...{ from: 'before', to: store.logId, size: 10, left: [], at: iso(clock.now()) },
    });
    const page = (from: number, limit: number) => leaves.filter(({ index }) => index >= from).slice(0, limit);
    const times = withFormerTimes(store, [move], async () => ({ page }));
    return { start, store, times, positions };
  }

  it('are those at which its events happened', async () => {
    const { start, store, times, positions } = await movedLog();
    expect(store.compare(await store.positionAt(start + 5 * hour), positions[0]!)).to.be.lessThan(0);
    for (const [n, position] of positions.entries()) {
      expect(await times.positionAt(start + n * hour)).to.equal(position);
      expect(await times.positionAt(start + n * hour + hour - 1)).to.equal(position);
    }
    expect(store.compare(await times.positionAt(start - 1), positions[0]!)).to.be.lessThan(0);
  });

  it('are the store’s own from the move on', async () => {
    const { times, positions } = await movedLog();
    expect(await times.positionAt(clock.now())).to.equal(positions.at(-1));
    await clock.advance(hour);
    const { position } = await times.append('later', 'none', [event()]);
    expect(await times.positionAt(clock.now())).to.equal(position);
    expect(await times.positionAt(clock.now() - 1)).to.equal(positions.at(-1));
  });

  it('are the store’s own where the log never moved', async () => {
    const { store } = await movedLog();
    expect(withFormerTimes(store, [], async () => expect.fail('no leaf is asked for'))).to.equal(store);
  });
});
