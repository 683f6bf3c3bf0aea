/** What every EventStore owes, whatever keeps its events. Called by the test file of each adapter. */
import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import {
  ForeignPosition,
  StoreUnavailable,
  WrongExpectedRevision,
  type EventFilter,
  type EventStore,
  type NewEvent,
  type Position,
  type RecordedEvent,
} from '../../src/ports/event-store.ts';
import { eventStoreModelContract } from './event-store-model.ts';
import { searchContract } from './event-store-search.ts';
import { subscriptionContract } from './event-store-subscribe.ts';
import { event, events, failure, readToEnd, until } from './event-store-given.ts';

export interface OpenedEventStore {
  readonly store: EventStore;
  /** Closes the store in use and opens the same log again. */
  reopen(): Promise<EventStore>;
  /** Closes the store in use and leaves nothing behind. */
  destroy(): Promise<void>;
  /** Lets the store's time pass; where it cannot be moved, the suite waits for it. */
  advance?(ms: number): void;
  /** Random runs beside the model, 60 where nothing is said: fewer where every scavenge is a server's walk through its whole index. */
  readonly modelRuns?: number;
}

export type OpenEventStore = () => Promise<OpenedEventStore>;

export function eventStoreContract(name: string, open: OpenEventStore): void {
  describe(`${name} keeps the contract of EventStore`, () => {
    let opened: OpenedEventStore;
    let store: EventStore;
    beforeEach(async () => {
      opened = await open();
      store = opened.store;
    });
    afterEach(() => opened.destroy());

    /** Distinct in every test, so that a store which cannot be emptied can be tested too. */
    const stream = (): string => `contract-${randomUUID()}`;
    const ids = (of: readonly NewEvent[]): string[] => of.map(({ id }) => id);

    describe('append', () => {
      it('numbers the events of a stream from 0, and answers revision and position of the last', async () => {
        const name = stream();
        const first = await store.append(name, 'none', events(2));
        const second = await store.append(name, 1, events(1));
        expect([first.revision, second.revision]).to.deep.equal([1, 2]);
        const read = await store.readStream(name, { limit: 10 });
        expect(read.map(({ revision }) => revision)).to.deep.equal([0, 1, 2]);
        expect(read.at(-1)?.position).to.equal(second.position);
        expect(store.compare(first.position, second.position)).to.be.lessThan(0);
      });

      it('gives back what was given, whatever JSON can say', async () => {
        const name = stream();
        const given = event({
          data: {
            text: 'ünï\u0000\u2028"\\',
            numbers: [0, -1.5, 1e300],
            deep: { a: [null, { b: true }] },
            empty: {},
          },
        });
        await store.append(name, 'none', [given]);
        const [read] = await store.readStream(name, { limit: 1 });
        expect(read).to.deep.include({ ...given, stream: name, revision: 0 });
      });

      it('does not notice when the caller changes the event afterwards', async () => {
        const name = stream();
        const data = { list: ['before'] };
        const given = event({ data });
        const appended = store.append(name, 'none', [given]);
        data.list.push('after');
        await appended;
        const [read] = await store.readStream(name, { limit: 1 });
        const { events: tail } = await readToEnd(store, { streamPrefixes: [name] });
        data.list.push('later');
        expect(read?.data).to.deep.equal({ list: ['before'] });
        expect(tail[0]?.data).to.deep.equal({ list: ['before'] });
      });

      for (const [given, expected, actual] of [
        [0, 0, 'none'],
        [1, 'none', 0],
        [3, 1, 2],
        [3, 3, 2],
      ] as const)
        it(`refuses ${expected} where the stream is at ${actual}, and appends nothing`, async () => {
          const name = stream();
          if (given > 0) await store.append(name, 'none', events(given));
          const refused = await failure(store.append(name, expected, events(2)), WrongExpectedRevision);
          expect(refused).to.include({ stream: name, expected, actual });
          expect(await store.readStream(name, { limit: 10 })).to.have.length(given);
        });

      it('lets one of many racing writers through, at each revision', async () => {
        const name = stream();
        for (let revision = 0; revision < 3; revision += 1) {
          const race = Array.from({ length: 20 }, () =>
            store.append(name, revision === 0 ? 'none' : revision - 1, events(1)),
          );
          const ends = await Promise.allSettled(race);
          expect(ends.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
          for (const end of ends)
            if (end.status === 'rejected')
              expect(end.reason).to.be.instanceOf(WrongExpectedRevision).and.include({ actual: revision });
        }
        expect(await store.readStream(name, { limit: 10 })).to.have.length(3);
      });

      it('serves neighbours of a conflict as if it had not been', async () => {
        const taken = stream();
        await store.append(taken, 'none', events(1));
        const names = Array.from({ length: 10 }, stream);
        const [conflict, ...others] = await Promise.allSettled([
          store.append(taken, 'none', events(1)),
          ...names.map((name) => store.append(name, 'none', events(2))),
        ]);
        expect(conflict.status).to.equal('rejected');
        for (const other of others) expect(other).to.deep.include({ status: 'fulfilled' });
      });

      it('keeps the order of appends that one caller sends without waiting', async () => {
        const name = stream();
        const given = events(50);
        await Promise.all(given.map((one, i) => store.append(name, i === 0 ? 'none' : i - 1, [one])));
        expect(ids(await store.readStream(name, { limit: 100 }))).to.deep.equal(ids(given));
      });

      it('answers a repetition as it answered first, also when the stream has gone on', async () => {
        const name = stream();
        const [first, second] = [events(2), events(2)];
        const answers = [await store.append(name, 'none', first), await store.append(name, 1, second)];
        expect(await store.append(name, 'none', first)).to.deep.equal(answers[0]);
        expect(await store.append(name, 1, second)).to.deep.equal(answers[1]);
        expect(await store.readStream(name, { limit: 10 })).to.have.length(4);
      });

      it('answers a repetition that is under way with the first as it answers the first', async () => {
        const name = stream();
        const given = events(2);
        const [first, second] = await Promise.all([
          store.append(name, 'none', given),
          store.append(name, 'none', given),
        ]);
        expect(first).to.deep.equal(second);
        expect(await store.readStream(name, { limit: 10 })).to.have.length(2);
      });

      it('takes no repetition for one that has another id in it or goes beyond', async () => {
        const name = stream();
        const given = events(2);
        await store.append(name, 'none', given);
        for (const other of [
          [given[0]!, event()],
          [...given, event()],
        ])
          await failure(store.append(name, 'none', other), WrongExpectedRevision);
      });

      it('refuses none and more than 1,000 events', async () => {
        const name = stream();
        await failure(store.append(name, 'none', []), RangeError);
        await failure(store.append(name, 'none', events(1001)), RangeError);
        const { revision } = await store.append(name, 'none', events(1000));
        expect(revision).to.equal(999);
      });
    });

    describe('readStream', () => {
      it('reads both ways from anywhere', async () => {
        const name = stream();
        await store.append(name, 'none', events(10));
        const read = async (options: Parameters<EventStore['readStream']>[1]): Promise<number[]> =>
          (await store.readStream(name, options)).map(({ revision }) => revision);
        expect(await read({ limit: 3 })).to.deep.equal([0, 1, 2]);
        expect(await read({ from: 8, limit: 3 })).to.deep.equal([8, 9]);
        expect(await read({ from: 10, limit: 3 })).to.deep.equal([]);
        expect(await read({ direction: 'backwards', limit: 3 })).to.deep.equal([9, 8, 7]);
        expect(await read({ direction: 'backwards', from: 1, limit: 3 })).to.deep.equal([1, 0]);
        expect(await read({ direction: 'backwards', from: 99, limit: 1 })).to.deep.equal([9]);
      });

      it('reads a stream that never was as empty, and names literally', async () => {
        const name = stream();
        await store.append(`${name}%`, 'none', events(1));
        expect(await store.readStream(name, { limit: 1 })).to.deep.equal([]);
        expect(await store.readStream(`${name}_`, { limit: 1 })).to.deep.equal([]);
      });

      it('refuses a limit out of bounds', async () => {
        for (const limit of [0, 10_001, 1.5])
          await failure(store.readStream(stream(), { limit }), RangeError);
      });
    });

    describe('readAll', () => {
      it('pages through every event once, in the order of appending', async () => {
        const start = await store.head();
        const prefix = stream();
        const given = events(25);
        for (const [i, one] of given.entries()) await store.append(`${prefix}-${i}`, 'none', [one]);
        const read: RecordedEvent[] = [];
        let after = start;
        for (let end = false; !end;) {
          const page = await store.readAll({ after, limit: 7 });
          expect(page.events.length).to.be.at.most(7);
          read.push(...page.events);
          ({ next: after, end } = page);
        }
        const mine = read.filter((one) => one.stream.startsWith(prefix));
        expect(ids(mine)).to.deep.equal(ids(given));
        expect(store.compare(after, mine.at(-1)!.position)).to.be.at.least(0);
      });

      it('filters by prefix, by type, and by both', async () => {
        const [one, other] = [stream(), stream()];
        await store.append(one, 'none', [event({ type: 'Opened' }), event({ type: 'Closed' })]);
        await store.append(other, 'none', [event({ type: 'Opened' }), event({ type: 'Moved' })]);
        const types = async (filter: EventFilter): Promise<string[]> =>
          (await readToEnd(store, filter)).events.map(({ type }) => type);
        expect(await types({ streamPrefixes: [one] })).to.deep.equal(['Opened', 'Closed']);
        expect(await types({ streamPrefixes: [one, other], types: ['Opened'] })).to.deep.equal([
          'Opened',
          'Opened',
        ]);
        expect(await types({ streamPrefixes: [other], types: ['Closed', 'Moved'] })).to.deep.equal(['Moved']);
        expect(await types({ streamPrefixes: [`${one}%`] })).to.deep.equal([]);
      });

      it('advances to the end when nothing matches', async () => {
        await store.append(stream(), 'none', events(3));
        const { events: found, next } = await readToEnd(store, { types: [randomUUID()] });
        expect(found).to.deep.equal([]);
        expect(store.compare(next, await store.head())).to.equal(0);
        const again = await store.readAll({ after: next, limit: 10 });
        expect(again).to.deep.include({ events: [], end: true });
      });

      it('refuses a position of another log', async () => {
        const foreign = `${randomUUID()}:1` as Position;
        await failure(store.readAll({ after: foreign, limit: 1 }), ForeignPosition);
        const head = await store.head();
        expect(() => store.compare(head, foreign)).to.throw(ForeignPosition);
        expect(head.startsWith(`${store.logId}:`)).to.equal(true);
      });
    });

    searchContract(() => ({
      store,
      canWait: opened.advance !== undefined,
      advance: (ms) => opened.advance?.(ms),
    }));

    subscriptionContract(() => store);

    describe('retention', () => {
      it('shows the newest of max count, and never resets revisions', async () => {
        const name = stream();
        await store.setRetention(name, { maxCount: 3 });
        await store.append(name, 'none', events(10));
        const read = await store.readStream(name, { limit: 10 });
        expect(read.map(({ revision }) => revision)).to.deep.equal([7, 8, 9]);
        const back = await store.readStream(name, { from: 7, direction: 'backwards', limit: 10 });
        expect(back.map(({ revision }) => revision)).to.deep.equal([7]);
        expect(await store.retention(name)).to.deep.equal({ maxCount: 3 });
        await store.setRetention(name, {});
        expect(await store.retention(name)).to.deep.equal({});
        expect(await store.readStream(name, { limit: 20 })).to.have.length(10);
      });

      it('expires by age', async () => {
        const [name, other] = [stream(), stream()];
        await store.append(name, 'none', events(2));
        await store.append(other, 'none', events(2));
        await store.setRetention(name, { maxAgeSeconds: 1 });
        opened.advance?.(1001);
        await until(async () => (await store.readStream(name, { limit: 10 })).length === 0);
        await store.append(name, 1, events(1));
        expect(await store.readStream(name, { limit: 10 })).to.have.length(1);
        expect(await store.readStream(other, { limit: 10 })).to.have.length(2);
      });

      it('refuses none on a stream whose events have all gone, naming where it is', async () => {
        const name = stream();
        await store.append(name, 'none', events(5));
        await store.setRetention(name, { truncateBefore: 5 });
        for (const step of ['before', 'after', 'reopened']) {
          expect(await store.readStream(name, { limit: 10 }), step).to.deep.equal([]);
          const refused = await failure(store.append(name, 'none', events(1)), WrongExpectedRevision);
          expect(refused.actual).to.equal(4);
          if (step === 'before') await store.scavenge();
          if (step === 'after') store = await opened.reopen();
        }
        const { revision } = await store.append(name, 4, events(1));
        expect(revision).to.equal(5);
      });

      it('scavenges what has expired and nothing else; places stay as they were', async () => {
        const [name, other] = [stream(), stream()];
        await store.append(name, 'none', events(6));
        await store.append(other, 'none', events(2));
        const { position: last } = await store.append(name, 5, events(2));
        await store.setRetention(name, { truncateBefore: 7 });
        const { removed } = await store.scavenge();
        expect(removed).to.be.at.least(0);
        const { events: rest } = await readToEnd(store, { streamPrefixes: [name, other] });
        expect(rest.filter((one) => one.stream === other)).to.have.length(2);
        expect(rest.at(-1)).to.deep.include({ revision: 7, position: last });
        await store.setRetention(name, { truncateBefore: 8 });
        await store.scavenge();
        const { position: next } = await store.append(other, 1, events(1));
        expect(store.compare(next, last)).to.be.greaterThan(0);
      });

      it('never gives a place twice, though the end of the log was scavenged and the store reopened', async () => {
        const name = stream();
        const { position: last } = await store.append(name, 'none', events(3));
        await store.setRetention(name, { truncateBefore: 3 });
        await store.scavenge();
        store = await opened.reopen();
        expect(store.compare(await store.head(), last)).to.be.at.least(0);
        const { position: next } = await store.append(stream(), 'none', events(1));
        expect(store.compare(next, last)).to.be.greaterThan(0);
      });

      it('refuses a retention that means nothing', async () => {
        for (const wrong of [{ maxCount: 0 }, { maxAgeSeconds: -1 }, { truncateBefore: 0.5 }])
          await failure(store.setRetention(stream(), wrong), RangeError);
      });
    });

    describe('closing', () => {
      it('finishes what is in flight, refuses what comes after, and can be repeated', async () => {
        const name = stream();
        const flying = store.append(name, 'none', events(1));
        await Promise.all([store.close(), store.close()]);
        await flying;
        await failure(store.append(name, 0, events(1)), StoreUnavailable);
        store = await opened.reopen();
        expect(await store.readStream(name, { limit: 10 })).to.have.length(1);
      });

      it('opens the same log again: identity, events, positions, retention, repetitions', async () => {
        const name = stream();
        const given = events(3);
        const answer = await store.append(name, 'none', given);
        await store.setRetention(name, { maxCount: 2 });
        const { logId } = store;
        store = await opened.reopen();
        expect(store.logId).to.equal(logId);
        expect(await store.retention(name)).to.deep.equal({ maxCount: 2 });
        expect(await store.append(name, 'none', given)).to.deep.equal(answer);
        expect((await store.append(name, 2, events(1))).revision).to.equal(3);
      });
    });

    eventStoreModelContract(() => ({ store, runs: opened.modelRuns ?? 60 }));
  });
}
