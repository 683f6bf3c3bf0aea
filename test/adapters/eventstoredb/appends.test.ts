import { expect } from 'chai';
import { openAppends } from '../../../src/adapters/eventstoredb/appends.ts';
import { openAppending } from '../../../src/adapters/eventstoredb/appending.ts';
import type { Answer, Connection } from '../../../src/adapters/eventstoredb/connection.ts';
import type { StoredRecord } from '../../../src/adapters/eventstoredb/records.ts';
import { StoreUnavailable, WrongExpectedRevision } from '../../../src/ports/event-store.ts';
import { failure, until } from '../../contract/event-store-given.ts';

type On = Parameters<Connection['openAppends']>[0];

/** A wire that does what the test says; what it was sent is in `sent`, by stream. */
function scripted(shown: readonly Partial<StoredRecord>[] = []) {
  const wires: { readonly on: On; readonly sent: { readonly id: string; readonly stream: string }[] }[] = [];
  let refusing = false;
  const connection = {
    async openAppends(on: On) {
      if (refusing) throw new StoreUnavailable('EventStoreDB does not answer: down');
      const sent: { id: string; stream: string }[] = [];
      wires.push({ on, sent });
      return {
        send({ stream }: { readonly stream: string }) {
          const id = `${wires.length}-${sent.length}`;
          sent.push({ id, stream });
          return id;
        },
        end: () => on.end('closed'),
      };
    },
    readStream: async () => shown,
    readAll: async () => [],
  } as unknown as Connection;
  return {
    connection,
    wires,
    refuse: () => (refusing = true),
    answer: (wire: number, nth: number, answer: Answer) => {
      const { on, sent } = wires[wire]!;
      on.answer(sent[nth]!.id, answer);
    },
  };
}

const one = [{ id: 'e1', type: 'T', data: Buffer.from('{}'), metadata: Buffer.from('{}') }];
const written: Answer = { kind: 'appended', revision: 0, place: 10 };
const patient = { inFlight: 3, patience: 60_000 };

describe('appends on their way to EventStoreDB', () => {
  it('are sent in their order, no more at a time than may be in flight', async () => {
    const { connection, wires, answer } = scripted();
    const appends = openAppends(connection, patient);
    const all = Array.from({ length: 7 }, (_, n) => appends.send(`s${n}`, 'none', one));
    await until(() => wires.length === 1);
    const streams = (): string[] => wires[0]!.sent.map(({ stream }) => stream);
    expect(streams()).to.eql(['s0', 's1', 's2']);
    answer(0, 1, written);
    expect(streams()).to.eql(['s0', 's1', 's2', 's3']);
    for (const nth of [0, 2, 3, 4, 5, 6]) answer(0, nth, written);
    expect(await Promise.all(all)).to.eql(Array(7).fill(written));
  });

  it('of a stream that ends are unknown; those that come later go over another, and keep their answers', async () => {
    const { connection, wires, answer } = scripted();
    const appends = openAppends(connection, patient);
    const first = appends.send('a', 'none', one);
    await until(() => wires.length === 1);
    wires[0]!.on.end('reset');
    expect(await first).to.eql({ kind: 'unknown', why: 'reset' });
    const second = appends.send('b', 'none', one);
    await until(() => wires.length === 2);
    // The first stream may say again that it is over, or answer late.
    wires[0]!.on.end('again');
    answer(0, 0, written);
    answer(1, 0, { ...written, place: 20 });
    expect(await second).to.deep.include({ place: 20 });
  });

  it('are unknown after a while without an answer, and make room', async () => {
    const { connection, wires } = scripted();
    const appends = openAppends(connection, { inFlight: 1, patience: 5 });
    const both = [appends.send('a', 'none', one), appends.send('b', 'none', one)];
    expect((await Promise.all(both)).map(({ kind }) => kind)).to.eql(['unknown', 'unknown']);
    expect(wires[0]!.sent).to.have.length(2);
  });

  it('are unknown at once where no stream can be opened', async () => {
    const { connection, refuse } = scripted();
    refuse();
    const answer = await openAppends(connection, patient).send('a', 'none', one);
    expect(answer).to.eql({ kind: 'unknown', why: 'EventStoreDB does not answer: down' });
  });
});

describe('an append, until it is certain', () => {
  const opened = (shown: readonly Partial<StoredRecord>[]) => {
    const script = scripted(shown);
    const appending = openAppending(script.connection, openAppends(script.connection, patient));
    return { ...script, appending };
  };
  const unknown: Answer = { kind: 'unknown', why: 'reset' };

  it('is written where the stream shows its events, though the answer was lost', async () => {
    const { appending, wires, answer } = opened([{ id: 'e1', revision: 0, place: 10, stream: 's' }]);
    const append = appending.append('s', 'none', one);
    await until(() => wires.length === 1);
    answer(0, 0, unknown);
    expect(await append).to.eql({ revision: 0, place: 10 });
  });

  it('is written where the server takes it for a conflict and the stream shows its events', async () => {
    const { appending, wires, answer } = opened([{ id: 'e1', revision: 0, place: 10, stream: 's' }]);
    const append = appending.append('s', 'none', one);
    await until(() => wires.length === 1);
    answer(0, 0, { kind: 'conflict', actual: 0 });
    expect(await append).to.eql({ revision: 0, place: 10 });
  });

  it('is a conflict where another’s event stands in its place', async () => {
    const { appending, wires, answer } = opened([{ id: 'other', revision: 0, place: 10, stream: 's' }]);
    const append = appending.append('s', 'none', one);
    await until(() => wires.length === 1);
    answer(0, 0, unknown);
    expect(await failure(append, WrongExpectedRevision)).to.include({ actual: 0, expected: 'none' });
  });

  it('is sent once more where it is not there, and then left to the caller', async () => {
    const { appending, wires, answer } = opened([]);
    const append = appending.append('s', 'none', one);
    await until(() => wires.length === 1);
    answer(0, 0, unknown);
    await until(() => wires[0]!.sent.length === 2);
    answer(0, 1, unknown);
    expect((await failure(append, StoreUnavailable)).message).to.contain('reset');
  });

  it('that will never be taken is no conflict and no outage', async () => {
    const { appending, wires, answer } = opened([]);
    const append = appending.append('s', 'none', one);
    await until(() => wires.length === 1);
    answer(0, 0, { kind: 'refused', why: 'it is too large' });
    expect((await failure(append, RangeError)).message).to.contain('too large');
  });
});
