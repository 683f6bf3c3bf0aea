/** What a projector remembers of a projection beside its checkpoint, in a collection of the same generation. */
import { ForeignPosition } from '../ports/event-store.ts';
import type { EventStore, Position } from '../ports/event-store.ts';
import type { Checkpoint, CollectionSpec, Generation, ReadModels, Write } from '../ports/read-models.ts';
import { z } from 'zod';

const Mark = z.object({
  /** Where the last event handled lies in its stream; null before the first. */
  last: z.object({ stream: z.string(), revision: z.number() }).nullable(),
  /** How often the projector started from here without getting on: something ends the process. */
  starts: z.number(),
});

const Parked = z.object({
  stream: z.string(),
  /** From this revision on, the stream's events wait. */
  revision: z.number(),
  eventId: z.string(),
  type: z.string(),
  error: z.string(),
  tries: z.number(),
  /** ISO 8601, UTC. */
  parkedAt: z.string(),
});
/** An event that could not be digested, and with it everything later of its stream. */
export type Parked = Readonly<z.output<typeof Parked>>;

const Troubles = z.object({
  /** The event being tried again, and how often it was tried, counted before each try. */
  trying: z.object({ eventId: z.string(), tries: z.number() }).nullable(),
  parked: z.array(Parked).readonly(),
});

export type Mark = Readonly<z.output<typeof Mark>>;
export type Troubles = Readonly<z.output<typeof Troubles>>;

export interface Bookmark {
  readonly mark: Mark;
  readonly troubles: Troubles;
}

export const newBookmark: Bookmark = {
  mark: { last: null, starts: 0 },
  troubles: { trying: null, parked: [] },
};

export function bookmarkCollection(projection: string): CollectionSpec {
  const name = `projector_${projection.replaceAll('-', '_')}`;
  return { name, visibility: 'tenant', indexes: [], text: [] };
}

export async function loadBookmark(
  models: Pick<ReadModels, 'load'>,
  generation: Generation,
): Promise<Bookmark> {
  const { name } = bookmarkCollection(generation.projection);
  const found = await models.load(generation, name, ['mark', 'troubles']);
  const data = (id: string): unknown => found.find((document) => document.id === id)?.data;
  return {
    mark: Mark.catch(newBookmark.mark).parse(data('mark')),
    troubles: Troubles.catch(newBookmark.troubles).parse(data('troubles')),
  };
}

/** What of `now` must be written, given what was written last. */
export function bookmarkWrites(projection: string, written: Bookmark, now: Bookmark): readonly Write[] {
  const { name: collection } = bookmarkCollection(projection);
  const writes: Write[] = [];
  if (now.mark !== written.mark)
    writes.push({ put: { collection, document: { id: 'mark', tenant: null, data: now.mark } } });
  if (now.troubles !== written.troubles)
    writes.push({ put: { collection, document: { id: 'troubles', tenant: null, data: now.troubles } } });
  return writes;
}

/**
 * Why a checkpoint does not belong to this log: it is another log, or one that was put back from a backup and perhaps grew
 * on since. Null when it does belong.
 */
export async function whyForeign(
  store: EventStore,
  checkpoint: Checkpoint,
  { mark: { last } }: Bookmark,
  head: Position,
): Promise<string | null> {
  try {
    if (store.compare(checkpoint.position, head) > 0) return 'the log ends before the checkpoint';
  } catch (error) {
    if (error instanceof ForeignPosition) return 'the checkpoint is of another log';
    throw error;
  }
  if (checkpoint.eventId === null) return null;
  if (!last) return 'nothing says where the last event was';
  const [event] = await store.readStream(last.stream, { from: last.revision, limit: 1 });
  if (!event) return 'the log does not hold the last event handled';
  // A later one instead: retention has expired the event itself, and the stream did come that far.
  if (event.revision > last.revision) return null;
  return event.id === checkpoint.eventId ? null : 'another event lies where the last one handled was';
}
