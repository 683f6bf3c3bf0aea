/** Documents of a read model as they were: its projection, fed with the log up to a place, into memory. */
import { setImmediate } from 'node:timers/promises';
import { type BatchDocuments, openBatchDocuments } from '../core/projection-documents.ts';
import type { Projection } from '../core/projection.ts';
import type { Schemas } from '../core/schemas.ts';
import type { EventStore, Position, RecordedEvent } from '../ports/event-store.ts';
import type { Document } from '../ports/read-models.ts';
import { Untold } from './places.ts';

/** Of one collection, by their ids. */
export type Documents = ReadonlyMap<string, Document>;

export interface Replay {
  /** Goes on to a place that is not before where it stands. @throws {Untold} when it is too much */
  to(place: Position): Promise<void>;
  /** As of now, of each collection. */
  documents(): ReadonlyMap<string, Documents>;
  /** Streams that an event was met in which could not be digested; everything later of them is left out, as a projector does. */
  readonly parked: ReadonlySet<string>;
}

const pageSize = 500;

/** @param options.most events of the projection's types, beyond which it gives up */
export function openReplay(options: {
  readonly store: Pick<EventStore, 'readAll' | 'compare'>;
  readonly schemas: Schemas;
  readonly projection: Projection;
  readonly most: number;
}): Replay {
  const { store, schemas, projection, most } = options;
  const filter = { types: Object.keys(projection.on) };
  const nothing = { load: async () => [] };
  const generation = { projection: projection.name, version: projection.version };
  const batch = openBatchDocuments(nothing, generation, projection);
  const parked = new Set<string>();
  let at: Position | null = null;
  let handled = 0;

  async function handle(event: RecordedEvent): Promise<void> {
    handled += 1;
    if (handled > most)
      throw new Untold(
        `${projection.name} was built of more than ${most} events by then, too many to build it again for a question: ask for an aggregate's stream instead`,
      );
    if (!parked.has(event.stream) && !(await digested(batch, projection, schemas, event)))
      parked.add(event.stream);
  }

  return {
    parked,
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

async function digested(
  batch: BatchDocuments,
  { on }: Projection,
  schemas: Schemas,
  event: RecordedEvent,
): Promise<boolean> {
  const decoded = schemas.decode(event);
  if (!decoded.ok) return false;
  try {
    await on[event.type]?.(decoded.event, batch);
    batch.keep();
    return true;
  } catch {
    batch.undo();
    return false;
  }
}

/** What a store gives back: members that are undefined are not there. */
function asStored(document: Document): Document {
  return JSON.parse(JSON.stringify(document)) as Document;
}
