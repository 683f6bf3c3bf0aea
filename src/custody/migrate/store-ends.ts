/** The log in a store that is asked through the port: EventStoreDB. */
import { Refused } from '../../client/api.ts';
import { mayBeShortened } from '../../domain/retention.ts';
import {
  type Appended,
  type EventStore,
  type Position,
  type RecordedEvent,
  WrongExpectedRevision,
} from '../../ports/event-store.ts';
import type { SealLeaves } from '../../ports/seals.ts';
import type { KeptStream } from '../../adapters/sqlite/log-reader.ts';
import type { LogSource, LogTarget } from './ends.ts';

/** A store takes an append whole, and not of any size: EventStoreDB at most 1 MiB. */
const largestAppend = { events: 500, characters: 200_000 } as const;

/** @param leaves know every stream that ever was */
export function storeSource(
  store: Pick<EventStore, 'logId' | 'readAll' | 'head' | 'compare' | 'retention'>,
  leaves: Pick<SealLeaves, 'page'>,
): LogSource {
  return {
    logId: store.logId,
    readAll: (question) => store.readAll(question),
    head: () => store.head(),
    compare: (a, b) => store.compare(a, b),
    async *retentions() {
      for (let from = 0; ;) {
        const page = leaves.page(from, 1_000);
        const begun = page.filter(({ stream, revision }) => revision === 0 && mayBeShortened(stream));
        for (const { stream } of begun) {
          const retention = await store.retention(stream);
          if (Object.keys(retention).length > 0) yield { stream, retention };
        }
        from += page.length;
        if (page.length < 1_000) return;
      }
    },
  };
}

interface Chunk {
  readonly stream: string;
  readonly events: RecordedEvent[];
  characters: number;
}

/**
 * Appends what follows one another in one stream at once, and several of those before the first is answered: the store takes them in
 * the order in which they were sent. That it did is seen by their positions.
 * @param inFlight how many appends at once
 */
export function storeTarget(store: EventStore, inFlight: number): LogTarget {
  let chunk: Chunk | null = null;
  const flying: Promise<Appended>[] = [];
  let last: Position | null = null;

  function send(): void {
    if (!chunk) return;
    const { stream, events } = chunk;
    chunk = null;
    const first = events[0]?.revision ?? 0;
    const appending = store.append(
      stream,
      first === 0 ? 'none' : first - 1,
      events.map(({ id, type, data, metadata }) => ({ id, type, data, metadata })),
    );
    // Told where it is waited for.
    appending.catch(() => undefined);
    flying.push(appending);
  }

  async function land(): Promise<void> {
    const appending = flying.shift();
    if (!appending) return;
    try {
      const { position } = await appending;
      if (last !== null && store.compare(last, position) >= 0)
        throw new Refused(
          'The store did not keep the order of what was sent to it at once. Empty it, then begin again with --in-flight 1.',
        );
      last = position;
    } catch (error) {
      // What is on its way behind it lands or not, before anybody looks again.
      await Promise.allSettled(flying.splice(0));
      if (error instanceof RangeError) throw new Refused(`The log cannot be moved there: ${error.message}.`);
      if (!(error instanceof WrongExpectedRevision)) throw error;
      if (error.actual === 'none')
        throw new Refused(
          `The log cannot be moved there: the beginning of ${error.stream} is gone, which none may have removed.`,
        );
      throw new Refused(
        `${error.message}: the target is served, or is not what was moved to it before. Empty it, then begin again.`,
      );
    }
  }

  return {
    logId: store.logId,
    takesShortened: false,
    readAll: (question) => store.readAll(question),
    async add(event) {
      const characters = JSON.stringify(event).length;
      const fits =
        chunk?.stream === event.stream &&
        chunk.events.length < largestAppend.events &&
        chunk.characters + characters <= largestAppend.characters;
      if (chunk && fits) {
        chunk.events.push(event);
        chunk.characters += characters;
        return;
      }
      send();
      chunk = { stream: event.stream, events: [event], characters };
      while (flying.length >= inFlight) await land();
    },
    async flush() {
      send();
      while (flying.length > 0) await land();
    },
    retain: ({ stream, retention }: KeptStream) => store.setRetention(stream, retention),
  };
}
