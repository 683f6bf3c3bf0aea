/** What a projection makes of the log up to a place, in memory: nothing that answers is touched. */
import { setImmediate } from 'node:timers/promises';
import { type BatchDocuments, openBatchDocuments } from './projection-documents.ts';
import type { Projection } from './projection.ts';
import type { Schemas } from './schemas.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore, Position, RecordedEvent } from '../ports/event-store.ts';
import type { Document } from '../ports/read-models.ts';
import type { Parked } from './projection-bookmark.ts';

/** Of one collection, by their ids. */
export type Documents = ReadonlyMap<string, Document>;

export interface Replay {
  /** Goes on to a place that is not before where it stands. @throws {TooMuchToReplay} */
  to(place: Position): Promise<void>;
  /** As of now, of each collection. */
  documents(): ReadonlyMap<string, Documents>;
  /** Events that could not be digested, with everything later of their streams, as a projector parks them. */
  readonly parked: readonly Parked[];
}

const pageSize = 500;

/** The log has more events for the projection than were allowed for. */
export class TooMuchToReplay extends Error {
  override readonly name = 'TooMuchToReplay';
}

/** @param options.most events of the projection's types, beyond which it gives up */
export function openReplay(options: {
  readonly store: Pick<EventStore, 'readAll' | 'compare'>;
  readonly schemas: Schemas;
  readonly projection: Projection;
  readonly most: number;
  readonly clock: Pick<Clock, 'now'>;
}): Replay {
  const { store, schemas, projection, most, clock } = options;
  const filter = { types: Object.keys(projection.on) };
  const nothing = { load: async () => [] };
  const generation = { projection: projection.name, version: projection.version };
  const batch = openBatchDocuments(nothing, generation, projection);
  const parked = new Map<string, Parked>();
  let at: Position | null = null;
  let handled = 0;

  async function handle(event: RecordedEvent): Promise<void> {
    handled += 1;
    if (handled > most)
      throw new TooMuchToReplay(
        `${projection.name} is built of more than ${most} events: too many to build it in memory`,
      );
    if (parked.has(event.stream)) return;
    const error = await whyUndigested(batch, projection, schemas, event);
    if (error === null) return;
    const { id: eventId, stream, revision, type } = event;
    const parkedAt = new Date(clock.now()).toISOString();
    parked.set(stream, { stream, revision, eventId, type, error, tries: 1, parkedAt });
  }

  return {
    get parked() {
      return [...parked.values()];
    },
    async to(place) {
      for (;;) {
        const page = await store.readAll({ after: at, filter, limit: pageSize });
        for (const event of page.events) {
          if (store.compare(event.position, place) > 0) return;
          await handle(event);
          at = event.position;
        }
        // What the filter left out is behind `place`, perhaps: there is no need to remember how far it was read.
        if (page.end || store.compare(page.next, place) >= 0) return;
        at = page.next;
        await setImmediate();
      }
    },
    documents() {
      const collections = new Map<string, Map<string, Document>>(
        projection.collections.map(({ name }) => [name, new Map<string, Document>()]),
      );
      for (const write of batch.writes())
        if ('put' in write)
          collections.get(write.put.collection)?.set(write.put.document.id, asStored(write.put.document));
      return collections;
    },
  };
}

async function whyUndigested(
  batch: BatchDocuments,
  { on }: Projection,
  schemas: Schemas,
  event: RecordedEvent,
): Promise<string | null> {
  const decoded = schemas.decode(event);
  if (!decoded.ok) return decoded.message;
  try {
    await on[event.type]?.(decoded.event, batch);
    batch.keep();
    return null;
  } catch (error) {
    batch.undo();
    return error instanceof Error ? error.message : String(error);
  }
}

/** What a store gives back: members that are undefined are not there. */
function asStored(document: Document): Document {
  return JSON.parse(JSON.stringify(document)) as Document;
}
