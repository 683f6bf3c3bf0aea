/** What was so at a place in the past: streams folded up to one of their events, the same whenever it is asked. */
import { LRUCache } from 'lru-cache';
import type { Aggregate } from '../domain/event.ts';
import type { EventStore, Position, RecordedEvent } from '../ports/event-store.ts';
import { UnreadableStream } from './executor.ts';
import type { Schemas } from './schemas.ts';

type Typed = { readonly type: string };

export interface Past {
  /**
   * What an event of the aggregate's stream changed.
   * @param event decoded
   * @throws {UnreadableStream} as `asOf` does
   */
  around<S, E extends Typed>(
    aggregate: Aggregate<S, E>,
    event: RecordedEvent,
  ): Promise<{ readonly before: S; readonly after: S }>;
  /**
   * What was so when the log ended at `position`.
   * @param id without the aggregate's name
   * @throws {UnreadableStream} when the stream holds an event that this version of the program cannot read
   */
  asOf<S, E extends Typed>(aggregate: Aggregate<S, E>, id: string, position: Position): Promise<S>;
}

/** A state, and the last event in it. */
interface Kept {
  readonly state: unknown;
  readonly revision: number;
  readonly position: Position;
}

const pageSize = 1_000;
/** Who follows the log and who catches up with it ask for different times of one stream. */
const keptPerStream = 4;

/** @param options.streams of how many states are kept in memory, default 1,000 */
export function createPast(options: {
  readonly store: Pick<EventStore, 'readStream' | 'compare'>;
  readonly schemas: Schemas;
  readonly streams?: number;
}): Past {
  const { store, schemas } = options;
  /** The states that were asked for last, the newest asked last. */
  const cache = new LRUCache<string, readonly Kept[]>({ max: options.streams ?? 1_000 });

  function keep(stream: string, kept: Kept): void {
    const others = (cache.get(stream) ?? []).filter(({ revision }) => revision !== kept.revision);
    cache.set(stream, [...others, kept].slice(-keptPerStream));
  }

  function decode(recorded: RecordedEvent): RecordedEvent {
    const decoded = schemas.decode(recorded);
    if (decoded.ok) return decoded.event;
    throw new UnreadableStream(recorded.stream, recorded.revision, decoded.message);
  }

  /** @param within whether an event belongs to the time that is asked for: all up to some event do, and none after it */
  async function fold<S, E extends Typed>(
    aggregate: Aggregate<S, E>,
    stream: string,
    within: (event: Pick<RecordedEvent, 'revision' | 'position'>) => boolean,
  ): Promise<S> {
    const known = (cache.get(stream) ?? [])
      .filter(within)
      .reduce<Kept | null>((best, one) => (one.revision > (best?.revision ?? -1) ? one : best), null);
    // Streams have one aggregate each, whose name they begin with.
    let state = known ? (known.state as S) : aggregate.initial;
    let last: Pick<Kept, 'revision' | 'position'> | null = known;
    for (let end = false; !end;) {
      const page = await store.readStream(stream, { from: (last?.revision ?? -1) + 1, limit: pageSize });
      end = page.length < pageSize;
      for (const recorded of page) {
        if (!within(recorded)) {
          end = true;
          break;
        }
        // Decoding has checked that the event is one of the aggregate's stream; its type is E by its schema.
        state = aggregate.evolve(state, decode(recorded) as Typed as E);
        last = recorded;
      }
    }
    if (last) keep(stream, { state, revision: last.revision, position: last.position });
    return state;
  }

  return {
    async around<S, E extends Typed>(aggregate: Aggregate<S, E>, event: RecordedEvent) {
      const { stream, revision, position } = event;
      const before =
        revision === 0
          ? aggregate.initial
          : await fold(aggregate, stream, (other) => other.revision < revision);
      // As in `fold`.
      const after = aggregate.evolve(before, event as Typed as E);
      keep(stream, { state: after, revision, position });
      return { before, after };
    },
    asOf: (aggregate, id, position) =>
      fold(aggregate, `${aggregate.name}-${id}`, (event) => store.compare(event.position, position) <= 0),
  };
}
