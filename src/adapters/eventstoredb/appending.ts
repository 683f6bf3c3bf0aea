/** An append from its first try to what is certain: where an answer is lost or doubtful, the stream is asked for the events' ids. */
import { LRUCache } from 'lru-cache';
import { StoreUnavailable, WrongExpectedRevision, type ExpectedRevision } from '../../ports/event-store.ts';
import type { Appends } from './appends.ts';
import type { Connection } from './connection.ts';
import type { EncodedEvent, StoredRecord } from './records.ts';
import { firstRevision, settle, type Settled } from './settling.ts';

export interface Placed {
  readonly revision: number;
  readonly place: number;
}

export interface Appending {
  /**
   * @throws {WrongExpectedRevision}
   * @throws {StoreUnavailable} when it is not known to be written; to repeat it with the same ids is safe
   * @throws {RangeError} when the server will never take it
   */
  append(stream: string, expected: ExpectedRevision, events: readonly EncodedEvent[]): Promise<Placed>;
}

const tries = 2;
/** What MaxAppendSize can be raised to; a larger message would end the stream of its neighbours. */
const mostBytes = 16 * 1024 * 1024;
/** Places of the last appends, for repetitions of what retention has hidden meanwhile. */
const rememberedAppends = 10_000;
const scannedAtOnce = 1_000;

export function openAppending(connection: Connection, appends: Appends): Appending {
  const places = new LRUCache<string, number>({ max: rememberedAppends });
  const underWay = new Map<string, { readonly ids: string; readonly placed: Promise<Placed> }>();

  async function toTheEnd(
    stream: string,
    expected: ExpectedRevision,
    events: readonly EncodedEvent[],
  ): Promise<Placed> {
    const lastId = events.at(-1)?.id ?? '';
    for (let again = tries - 1; ; again -= 1) {
      const answer = await appends.send(stream, expected, events);
      switch (answer.kind) {
        case 'appended': {
          const place = answer.place ?? places.get(lastId) ?? (await search(stream, answer.revision));
          places.set(lastId, place);
          return { revision: answer.revision, place };
        }
        case 'refused':
          throw new RangeError(`the append to ${stream} cannot be stored: ${answer.why}`);
        case 'conflict': {
          const { actual } = answer;
          const conflict = new WrongExpectedRevision(stream, expected, actual);
          // That many events have no room up to there.
          if (actual === 'none' || actual < firstRevision(expected) + events.length - 1) throw conflict;
          const found = await ask(stream, expected, events);
          if (found.kind === 'appended') return { revision: found.revision, place: found.place };
          throw conflict;
        }
        case 'unknown': {
          const found = await ask(stream, expected, events);
          if (found.kind === 'appended') return { revision: found.revision, place: found.place };
          if (found.kind === 'taken') throw new WrongExpectedRevision(stream, expected, found.last);
          // The same events at the same revision: however often it is sent, it is written once.
          if (again > 0) continue;
          throw new StoreUnavailable(
            `it is not known whether the append to ${stream} is stored: ${answer.why}`,
          );
        }
      }
    }
  }

  type Asked =
    | ({ readonly kind: 'appended' } & Placed)
    | { readonly kind: 'taken'; readonly last: number }
    | { readonly kind: 'absent' };

  /** The server recognises repetitions as well as it can, from memory. */
  async function ask(
    stream: string,
    expected: ExpectedRevision,
    events: readonly EncodedEvent[],
  ): Promise<Asked> {
    const from = firstRevision(expected);
    const [found, last] = await Promise.all([
      connection.readStream(stream, { from, direction: 'forwards', limit: events.length }),
      connection.readStream(stream, { from: 'end', direction: 'backwards', limit: 1 }),
    ]);
    const there = (found ?? []).filter(({ revision }) => revision < from + events.length);
    // Where everything is hidden, even the last one is; then what was found says the least that is there.
    const end = Math.max(last?.[0]?.revision ?? -1, there.at(-1)?.revision ?? -1);
    const ids = events.map(({ id }) => id);
    const settled: Settled = settle(expected, ids, there, end);
    if (settled.kind === 'taken') return { kind: 'taken', last: end };
    if (settled.kind === 'absent') return settled;
    const revision = from + events.length - 1;
    const place = there.at(-1)?.revision === revision ? there.at(-1)?.place : places.get(ids.at(-1) ?? '');
    return settled.kind === 'appended' && place !== undefined
      ? { kind: 'appended', revision, place }
      : hidden(stream, revision, ids.at(-1) ?? '');
  }

  async function hidden(stream: string, revision: number, id: string): Promise<Asked> {
    const record = await find(stream, revision);
    return record?.id === id
      ? { kind: 'appended', revision, place: record.place }
      : { kind: 'taken', last: revision };
  }

  async function search(stream: string, revision: number): Promise<number> {
    const record = await find(stream, revision);
    if (!record) throw new StoreUnavailable(`revision ${revision} of ${stream} is stored, and was not found`);
    return record.place;
  }

  /** What retention hides in its stream, the log still shows until a scavenge: looked for from its end. Rare, and slow in a long log. */
  async function find(stream: string, revision: number): Promise<StoredRecord | null> {
    for (let from: number | 'end' = 'end'; ;) {
      const records: readonly StoredRecord[] = await connection.readAll({
        from,
        direction: 'backwards',
        limit: scannedAtOnce,
      });
      const found = records.find((record) => record.stream === stream && record.revision <= revision);
      if (found) return found.revision === revision ? found : null;
      if (records.length < scannedAtOnce) return null;
      from = records.at(-1)?.place ?? 0;
    }
  }

  return {
    append(stream, expected, events) {
      if (events.reduce((bytes, { data, metadata }) => bytes + data.length + metadata.length, 0) > mostBytes)
        throw new RangeError(`the append to ${stream} is beyond any MaxAppendSize of EventStoreDB, 16 MiB`);
      // The server drops a repetition of what is not yet replicated, so it waits for the first here.
      const key = JSON.stringify([stream, expected, events[0]?.id]);
      const ids = events.map(({ id }) => id).join();
      const first = underWay.get(key);
      if (first?.ids === ids) return first.placed;
      const placed = toTheEnd(stream, expected, events).finally(() => {
        if (underWay.get(key)?.placed === placed) underWay.delete(key);
      });
      underWay.set(key, { ids, placed });
      return placed;
    },
  };
}
