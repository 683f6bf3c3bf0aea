/** What searches of the log owe: they read on from page to page, both ways, whatever is appended meanwhile. */
import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import {
  ForeignPosition,
  type EventMetadata,
  type EventStore,
  type LogSearch,
  type NewEvent,
  type Position,
  type RecordedEvent,
} from '../../src/ports/event-store.ts';
import { event, events, failure } from './event-store-given.ts';

export function searchContract(
  current: () => {
    readonly store: EventStore;
    /** Whether its time can be moved. */
    readonly canWait: boolean;
    readonly advance: (ms: number) => void;
  },
): void {
  const stream = (): string => `contract-${randomUUID()}`;
  const named = (id: string) => ({ correlationId: id });
  const withMetadata = (part: Partial<EventMetadata>, more: Partial<NewEvent> = {}): NewEvent => {
    const plain = event(more);
    return { ...plain, metadata: { ...plain.metadata, ...part } };
  };

  async function all(
    where: LogSearch,
    direction: 'forwards' | 'backwards',
    limit = 1_000,
    between: () => Promise<unknown> = async () => undefined,
  ): Promise<readonly RecordedEvent[]> {
    const found: RecordedEvent[] = [];
    for (let from: Position | null = null; ;) {
      const page = await current().store.search({ direction, from, where, limit });
      expect(page.events.length).to.be.at.most(limit);
      found.push(...page.events);
      from = page.next;
      if (page.end) return found;
      await between();
    }
  }

  describe('search', () => {
    it('finds by every member, and by all of them together', async () => {
      const id = randomUUID();
      const { store } = current();
      const wanted = withMetadata(
        { ...named(id), causationId: `${id}-cause`, actor: { id: `${id}-actor`, face: 'f' }, tenant: id },
        { type: `Type-${id}` },
      );
      const ofPlatform = withMetadata({ ...named(id), tenant: null });
      await store.append(stream(), 'none', [event(), wanted, ofPlatform, event()]);
      for (const where of [
        { id: wanted.id },
        { types: ['Never', `Type-${id}`] },
        { tenant: id },
        { actor: `${id}-actor` },
        { causationId: `${id}-cause` },
        { correlationId: id, tenant: id },
        { correlationId: id, notTypes: ['Never', 'Happened'] },
      ] satisfies LogSearch[])
        for (const direction of ['forwards', 'backwards'] as const)
          expect(
            (await all(where, direction)).map((one) => one.id),
            JSON.stringify(where),
          ).to.eql([wanted.id]);
      expect((await all({ correlationId: id, tenant: null }, 'forwards')).map((one) => one.id)).to.eql([
        ofPlatform.id,
      ]);
      for (const where of [
        { types: [] },
        { tenant: id, notTypes: [`Type-${id}`] },
        { tenant: id, actor: 'nobody' },
        { id: `${id}'--` },
      ])
        expect(await all(where, 'backwards')).to.eql([]);
    });

    it('finds what an id stands in, or ends the name of', async () => {
      const id = randomUUID();
      const { store } = current();
      const given = [
        event({ data: { deep: [{ named: id }] } }),
        event({ data: { text: `of ${id} and others` } }),
        event({ data: { quoted: `"${id}"` } }),
      ];
      await store.append(stream(), 'none', given);
      const names = [`kind-${id}`, `slot-a.b.${id}`, `kind-x${id}`, `kind-${id}-more`];
      for (const name of names) await store.append(name, 'none', events(1));
      const found = await all({ about: id }, 'forwards');
      expect(found.map((one) => (one.id === given[0]?.id ? 'data' : one.stream))).to.eql([
        ...['data', `kind-${id}`, `slot-a.b.${id}`],
      ]);
    });

    it('finds by whichever id it is: its own, that of the request or that of the command', async () => {
      const id = randomUUID();
      const given = [
        event({ id }),
        withMetadata({ correlationId: id }),
        withMetadata({ causationId: id }),
        withMetadata({ tenant: id }),
      ];
      await current().store.append(stream(), 'none', given);
      const found = await all({ anyId: id }, 'backwards');
      expect(found.map((one) => one.id)).to.eql(
        given
          .slice(0, 3)
          .map((one) => one.id)
          .toReversed(),
      );
      expect(await all({ anyId: id, tenant: 'x' }, 'backwards')).to.eql([]);
    });

    it('pages through everything once, both ways, though the log grows', async () => {
      const id = randomUUID();
      const { store } = current();
      const given = Array.from({ length: 25 }, () => withMetadata(named(id)));
      for (const one of given) await store.append(stream(), 'none', [event(), one]);
      const grow = () => store.append(stream(), 'none', [withMetadata(named(`other-${id}`)), event()]);
      const ids = given.map((one) => one.id);
      for (const limit of [1, 7, 25, 100]) {
        const forwards = await all({ correlationId: id }, 'forwards', limit, grow);
        expect(forwards.map((one) => one.id)).to.eql(ids);
        const backwards = await all({ correlationId: id }, 'backwards', limit, grow);
        expect(backwards.map((one) => one.id)).to.eql(ids.toReversed());
      }
    });

    it('goes on from the end with what was appended since', async () => {
      const id = randomUUID();
      const { store } = current();
      const where = named(id);
      const question = { direction: 'forwards', where, limit: 10 } as const;
      let page = await store.search({ ...question, from: await store.head() });
      expect(page).to.deep.include({ events: [], end: true });
      const later = withMetadata(where);
      await store.append(stream(), 'none', [later]);
      page = await store.search({ ...question, from: page.next });
      expect(page.events.map((one) => one.id)).to.eql([later.id]);
      expect((await store.search({ ...question, from: page.next })).events).to.eql([]);
    });

    it('finds what a scavenge left, and nothing else', async () => {
      const id = randomUUID();
      const { store } = current();
      const [gone, stays] = [stream(), stream()];
      const given = withMetadata(named(id));
      await store.append(stays, 'none', [given]);
      await store.append(gone, 'none', [...events(20), withMetadata(named(id))]);
      await store.setRetention(gone, { truncateBefore: 21 });
      await store.scavenge();
      for (const direction of ['forwards', 'backwards'] as const)
        expect((await all(named(id), direction)).map((one) => one.id)).to.include(given.id);
    });

    it('refuses a position of another log, and limits out of bounds', async () => {
      const { store } = current();
      const question = { direction: 'backwards', from: null, where: {}, limit: 1 } as const;
      await failure(store.search({ ...question, from: `${randomUUID()}:1` as Position }), ForeignPosition);
      for (const limit of [0, 10_001]) await failure(store.search({ ...question, limit }), RangeError);
    });
  });

  describe('positionAt', () => {
    it('names where the log stood at a time', async () => {
      const { store, canWait, advance } = current();
      const first = await store.append(stream(), 'none', events(3));
      expect(await store.positionAt(Number.MAX_SAFE_INTEGER)).to.equal(first.position);
      expect(store.compare(await store.positionAt(0), first.position)).to.be.lessThan(0);
      if (!canWait) return;
      // Minutes, so that what the test itself takes does not count.
      const minute = 60_000;
      const places = [first.position];
      for (let minutes = 1; minutes <= 5; minutes += 1) {
        advance(minute);
        places.push((await store.append(stream(), 'none', events(minutes))).position);
      }
      for (const [minutes, place] of places.entries())
        expect(await store.positionAt(Date.now() + (minutes + 0.5) * minute)).to.equal(place);
    });

    it('names a place before the first of what is left, and the end, when the rest was scavenged', async () => {
      const { store } = current();
      const gone = stream();
      const { position: last } = await store.append(gone, 'none', events(10));
      await store.setRetention(gone, { truncateBefore: 10 });
      await store.scavenge();
      expect(store.compare(await store.positionAt(Number.MAX_SAFE_INTEGER), last)).to.be.at.most(0);
      const kept = await store.append(stream(), 'none', events(1));
      expect(await store.positionAt(Number.MAX_SAFE_INTEGER)).to.equal(kept.position);
    });
  });
}
