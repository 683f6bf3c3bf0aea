/** From a stream to its state: from what was folded before, else from a snapshot, else from the start. */
import { isDeepStrictEqual } from 'node:util';
import type { Aggregate } from '../domain/event.ts';
import type { EventStore, Json, RecordedEvent } from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import type { Snapshots } from '../ports/snapshots.ts';
import { UnreadableStream } from './executor.ts';
import type { Schemas } from './schemas.ts';
import { LRUCache } from 'lru-cache';

/** A state, and the event it was folded up to (null: none). */
export interface Folded<S> {
  readonly state: S;
  readonly last: Pick<RecordedEvent, 'id' | 'revision'> | null;
  /** Commands whose events were among those that the last fold read, in their order. */
  readonly commands: ReadonlySet<string>;
}

export interface Folding {
  /** @throws {UnreadableStream} */
  fold<S, E extends { readonly type: string }>(
    aggregate: Aggregate<S, E>,
    stream: string,
  ): Promise<Folded<S>>;
  /** Takes note of a newer state, so that the next fold starts there. */
  remember<S, E extends { readonly type: string }>(
    aggregate: Aggregate<S, E>,
    stream: string,
    folded: Folded<S>,
  ): void;
}

const pageSize = 1_000;
/** How many commands are remembered with a state that is kept in memory. */
const rememberedCommands = 16;
/** A snapshot is written when the last one lies this many events behind. */
const snapshotEvery = 200;

export function createFolding(options: {
  readonly store: EventStore;
  readonly schemas: Schemas;
  readonly snapshots: Snapshots | null;
  readonly log: Log;
  /** How many states are kept in memory. */
  readonly cached: number;
}): Folding {
  const { store, schemas, snapshots, log } = options;
  const cache = new LRUCache<string, { readonly of: object; readonly folded: Folded<unknown> }>({
    max: options.cached,
  });
  /** Revision of the newest snapshot known of a stream. */
  const snapshotAt = new LRUCache<string, number>({ max: options.cached });

  function decode(recorded: RecordedEvent): RecordedEvent {
    const decoded = schemas.decode(recorded);
    if (decoded.ok) return decoded.event;
    throw new UnreadableStream(recorded.stream, recorded.revision, decoded.message);
  }

  /** The snapshot, unless another fold made it or the log does not hold the event it ends with. */
  async function fromSnapshot<S, E extends { readonly type: string }>(
    aggregate: Aggregate<S, E>,
    stream: string,
  ): Promise<Folded<S> | null> {
    if (!snapshots || aggregate.snapshotVersion === undefined) return null;
    const snapshot = await snapshots.read(stream);
    if (snapshot?.fingerprint !== fingerprint(aggregate)) return null;
    const [last] = await store.readStream(stream, { from: snapshot.revision, limit: 1 });
    if (last?.id !== snapshot.eventId || last.revision !== snapshot.revision) return null;
    snapshotAt.set(stream, snapshot.revision);
    // The fingerprint says that this aggregate wrote it; `snapshot` checked that it survives JSON.
    return { state: snapshot.state as S, last, commands: new Set([last.metadata.causationId]) };
  }

  function snapshot<S, E extends { readonly type: string }>(
    aggregate: Aggregate<S, E>,
    stream: string,
    { state, last }: Folded<S>,
  ): void {
    if (!snapshots || aggregate.snapshotVersion === undefined || !last) return;
    if (last.revision - (snapshotAt.get(stream) ?? -1) < snapshotEvery) return;
    snapshotAt.set(stream, last.revision);
    const json = JSON.parse(JSON.stringify(state)) as Json;
    if (!isDeepStrictEqual(json, state)) {
      log.warn({ stream, aggregate: aggregate.name }, 'no snapshot: the state is not JSON');
      return;
    }
    const { id: eventId, revision } = last;
    const written = snapshots.write(stream, {
      state: json,
      revision,
      eventId,
      fingerprint: fingerprint(aggregate),
    });
    written.catch((error: unknown) => log.warn({ stream, err: error }, 'a snapshot could not be written'));
  }

  function cachedFold<S, E extends { readonly type: string }>(
    aggregate: Aggregate<S, E>,
    stream: string,
  ): Folded<S> | null {
    const entry = cache.get(stream);
    // Only this aggregate's own `evolve` made the state.
    return entry?.of === aggregate ? (entry.folded as Folded<S>) : null;
  }

  function remember<S, E extends { readonly type: string }>(
    aggregate: Aggregate<S, E>,
    stream: string,
    folded: Folded<S>,
  ): void {
    // Read as fast again as it is found, it would only displace others.
    if (aggregate.lastTellsAll) return;
    const known = cachedFold(aggregate, stream)?.last?.revision ?? -1;
    if (!folded.last || folded.last.revision < known) return;
    cache.set(stream, { of: aggregate, folded });
    snapshot(aggregate, stream, folded);
  }

  async function foldLast<S, E extends { readonly type: string }>(
    aggregate: Aggregate<S, E>,
    stream: string,
  ): Promise<Folded<S>> {
    const [last] = await store.readStream(stream, { direction: 'backwards', limit: 1 });
    if (!last) return { state: aggregate.initial, last: null, commands: new Set() };
    // As in `fold`: decoding has checked whose event it is.
    const state = aggregate.evolve(aggregate.initial, decode(last) as { readonly type: string } as E);
    return { state, last, commands: new Set([last.metadata.causationId]) };
  }

  return {
    remember,
    async fold<S, E extends { readonly type: string }>(aggregate: Aggregate<S, E>, stream: string) {
      if (aggregate.lastTellsAll) return foldLast(aggregate, stream);
      const start = cachedFold(aggregate, stream) ?? (await fromSnapshot(aggregate, stream));
      let state = start?.state ?? aggregate.initial;
      let last = start?.last ?? null;
      let commands = new Set(start?.commands);
      for (let end = false; !end;) {
        const from = last ? last.revision + 1 : 0;
        const page = await store.readStream(stream, { from, limit: pageSize });
        if (page.length > 0 && from === (start?.last?.revision ?? -1) + 1) commands = new Set();
        for (const recorded of page) {
          // Decoding has checked that the event is one of the aggregate's stream; its type is E by its schema.
          state = aggregate.evolve(state, decode(recorded) as { readonly type: string } as E);
          last = { id: recorded.id, revision: recorded.revision };
          commands.add(recorded.metadata.causationId);
        }
        end = page.length < pageSize;
      }
      remember(aggregate, stream, {
        state,
        last,
        commands: new Set([...commands].slice(-rememberedCommands)),
      });
      return { state, last, commands };
    },
  };
}

function fingerprint<S, E extends { readonly type: string }>(aggregate: Aggregate<S, E>): string {
  return `${aggregate.name}/${String(aggregate.snapshotVersion)}`;
}
