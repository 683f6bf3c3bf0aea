/** How far projections are that another process leads, read from where their leaders write it. */
import { ForeignPosition, type EventStore, type Position } from '../ports/event-store.ts';
import type { ReadModels } from '../ports/read-models.ts';
import { loadBookmark, type Parked } from './projection-bookmark.ts';
import type { Projection } from './projection.ts';
import { createShared } from './waiting.ts';

export interface Seen {
  /** Up to where everything is in the documents; null: nobody has begun. */
  readonly position: Position | null;
  /** Whether this version answers. */
  readonly live: boolean;
  readonly parked: readonly Parked[];
}

export interface Sight {
  /** As of the last look; null before the first. */
  of(projection: string): Seen | null;
  /** @param wanted somebody waits for: what no event of a projection lies before, it has reached, whatever its checkpoint says */
  look(projections: readonly Projection[], wanted: Position | null): Promise<void>;
}

interface Kept extends Seen {
  readonly checkpoint: Position | null;
  /** The first event behind the checkpoint that concerns the projection; null: none is known. */
  readonly next: Position | null;
}

export function createSight({
  store,
  models,
}: {
  readonly store: Pick<EventStore, 'readAll' | 'compare'>;
  readonly models: Pick<ReadModels, 'generations' | 'load'>;
}): Sight {
  const seen = new Map<string, Kept>();
  const generations = createShared(() => models.generations());

  function ofThisLog(position: Position): boolean {
    try {
      store.compare(position, position);
      return true;
    } catch (error) {
      if (error instanceof ForeignPosition) return false;
      throw error;
    }
  }

  /** The first event behind a place that concerns the projection, if there is one up to another. */
  async function firstWithin({ on }: Projection, after: Position, upTo: Position): Promise<Position | null> {
    const filter = { types: Object.keys(on) };
    for (let from = after; ;) {
      const { events, next, end } = await store.readAll({ after: from, filter, limit: 1 });
      const [first] = events;
      if (first) return store.compare(first.position, upTo) <= 0 ? first.position : null;
      if (end || store.compare(next, upTo) >= 0) return null;
      from = next;
    }
  }

  async function reached(
    projection: Projection,
    checkpoint: Position,
    wanted: Position | null,
  ): Promise<Pick<Kept, 'position' | 'next'>> {
    const known = seen.get(projection.name);
    const before = known?.checkpoint === checkpoint ? known : null;
    const sofar = before?.position ?? checkpoint;
    const next = before?.next ?? null;
    if (wanted === null || store.compare(sofar, wanted) >= 0) return { position: sofar, next };
    if (next !== null && store.compare(next, wanted) <= 0) return { position: sofar, next };
    const first = await firstWithin(projection, sofar, wanted);
    return first === null ? { position: wanted, next } : { position: sofar, next: first };
  }

  async function lookAt(projection: Projection, wanted: Position | null): Promise<void> {
    const { name, version } = projection;
    const all = await generations();
    const state = all.find((one) => one.projection === name && one.version === version);
    const checkpoint = state?.checkpoint?.position ?? null;
    if (!state || checkpoint === null || !ofThisLog(checkpoint)) {
      seen.set(name, { position: null, live: false, parked: [], checkpoint: null, next: null });
      return;
    }
    const { troubles } = await loadBookmark(models, state);
    const { parked } = troubles;
    seen.set(name, {
      ...(await reached(projection, checkpoint, wanted)),
      ...{ live: state.active, parked, checkpoint },
    });
  }

  return {
    of: (projection) => seen.get(projection) ?? null,
    async look(projections, wanted) {
      await Promise.all(projections.map((projection) => lookAt(projection, wanted)));
    },
  };
}
