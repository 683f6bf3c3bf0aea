/** The contract's part about subscriptions. */
import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import type { EventStore, NewEvent, Position } from '../../src/ports/event-store.ts';
import { events, followed } from './event-store-given.ts';

/** Distinct in every test, so that a store which cannot be emptied can be tested too. */
const stream = (): string => `contract-${randomUUID()}`;
const ids = (of: readonly NewEvent[]): string[] => of.map(({ id }) => id);

export function subscriptionContract(store: () => EventStore): void {
  describe('subscribe', () => {
    it('catches up, then follows, without gap or repeat while others append', async () => {
      const prefix = stream();
      const given: string[] = [];
      const append = async (): Promise<void> => {
        const more = events(3);
        await store().append(`${prefix}-${given.length}`, 'none', more);
        given.push(...ids(more));
      };
      for (let i = 0; i < 20; i += 1) await append();
      const reading = followed(
        store(),
        { after: null, filter: { streamPrefixes: [prefix] }, batchSize: 7 },
        120,
      );
      for (let i = 0; i < 20; i += 1) await append();
      const batches = await reading;
      expect(batches.flatMap((batch) => ids(batch.events))).to.deep.equal(given);
      expect(batches.every((batch) => batch.events.length <= 7)).to.equal(true);
      expect(batches.at(-1)?.live).to.equal(true);
    });

    it('starts after a checkpoint that it gave', async () => {
      const name = stream();
      const given = events(30);
      await store().append(name, 'none', given);
      const filter = { streamPrefixes: [name] };
      const first = await followed(store(), { after: null, filter, batchSize: 10 }, 10);
      const after = first.at(-1)!.checkpoint;
      const rest = await followed(store(), { after, filter, batchSize: 10 }, 20);
      expect(rest.flatMap((batch) => ids(batch.events))).to.deep.equal(ids(given.slice(10)));
    });

    it('says that it is live where there is nothing to catch up with', async () => {
      const stop = new AbortController();
      for await (const batch of store().subscribe({ after: await store().head(), signal: stop.signal })) {
        expect(batch).to.deep.include({ events: [], live: true });
        stop.abort();
      }
    });

    it('checkpoints what its filter leaves out', async () => {
      const stop = new AbortController();
      const filter = { types: [randomUUID()] };
      const { position } = await store().append(stream(), 'none', events(3));
      let later: Promise<Position> | undefined;
      let wanted = position;
      for await (const batch of store().subscribe({ after: null, filter, signal: stop.signal })) {
        expect(batch.events).to.deep.equal([]);
        if (store().compare(batch.checkpoint, wanted) < 0) continue;
        if (later) stop.abort();
        later ??= store()
          .append(stream(), 'none', events(2))
          .then((appended) => (wanted = appended.position));
        await later;
      }
      expect(later).to.not.equal(undefined);
    });

    it('serves a slow subscriber in bounded batches, and misses nothing', async () => {
      const name = stream();
      const stop = new AbortController();
      const got: string[] = [];
      const given: string[] = [];
      const options = {
        after: await store().head(),
        filter: { streamPrefixes: [name] },
        batchSize: 50,
        signal: stop.signal,
      };
      for await (const batch of store().subscribe(options)) {
        expect(batch.events.length).to.be.at.most(50);
        got.push(...ids(batch.events));
        if (given.length < 1000) {
          const more = events(200);
          await store().append(name, given.length === 0 ? 'none' : given.length - 1, more);
          given.push(...ids(more));
        }
        if (got.length === 1000) stop.abort();
      }
      expect(got).to.deep.equal(given);
    });

    it('ends at the signal and at the close, without an error', async () => {
      const stop = new AbortController();
      const ended = [stop.signal, undefined].map(async (signal) => {
        let batches = 0;
        for await (const batch of store().subscribe({ after: null, ...(signal && { signal }) }))
          batches += batch.events.length;
        return batches;
      });
      stop.abort();
      await ended[0];
      await store().close();
      expect(await ended[1]).to.be.at.least(0);
    });
  });
}
