/** What a read model would show of the log, or of a part of it: in memory, nothing that answers is touched. */
import { setImmediate } from 'node:timers/promises';
import { redactedObject } from '../audit/redaction.ts';
import { asJson } from '../audit/difference.ts';
import { Refused } from '../client/api.ts';
import { openReplay, TooMuchToReplay } from '../core/projection-replay.ts';
import type { Parked } from '../core/projection-bookmark.ts';
import type { Projection } from '../core/projection.ts';
import type { Schemas } from '../core/schemas.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore, JsonObject } from '../ports/event-store.ts';
import { type LogPart, openWindow } from './part.ts';
import type { Progress } from './progress.ts';
import { checkBounds, placeIn } from './replay.ts';

export interface ReplayedDocument {
  readonly collection: string;
  readonly id: string;
  readonly tenant: string | null;
  /** As elsewhere without what is personal or secret. */
  readonly data: JsonObject;
}

export interface ReplayedProjection {
  readonly name: string;
  readonly events: number;
  readonly documents: readonly ReplayedDocument[];
  /** What could not be digested. */
  readonly parked: readonly Parked[];
}

/** What memory carries. */
const mostReplayed = 1_000_000;

/** @throws {Refused} when there is no such projection, a position is of no use, or it was ended by `signal` */
export async function replayProjection(
  {
    store,
    schemas,
    projections,
  }: {
    readonly store: Pick<EventStore, 'readAll' | 'head' | 'compare'>;
    readonly schemas: Schemas;
    readonly projections: readonly Projection[];
  },
  options: {
    readonly name: string;
    readonly part: LogPart;
    readonly clock: Pick<Clock, 'now'>;
    readonly progress: (progress: Progress) => void;
    readonly signal: AbortSignal;
  },
): Promise<ReplayedProjection> {
  const { name, part, clock, progress, signal } = options;
  const projection = projections.find((one) => one.name === name);
  if (!projection)
    throw new Refused(
      `There is no projection of this name: name one of ${projections.map((one) => one.name).join(', ')}.`,
    );
  await checkBounds(store, part);
  const window = openWindow(store, part);
  const head = await store.head();
  let events = 0;
  progress({ place: 0, of: placeIn(head), events });
  const partOfStore: Pick<EventStore, 'readAll' | 'compare'> = {
    compare: (a, b) => store.compare(a, b),
    async readAll(question) {
      await setImmediate();
      if (signal.aborted) throw new Refused('Interrupted: nothing was kept, it was in memory alone.');
      const read = await store.readAll(question);
      const taken = window.take(read.events);
      events += taken.length;
      progress({ place: placeIn(read.next), of: placeIn(head), events });
      return { events: taken, next: read.next, end: read.end || window.over };
    },
  };
  const replay = openReplay({ store: partOfStore, schemas, projection, most: mostReplayed, clock });
  await replay.to(head).catch((error: unknown) => {
    throw error instanceof TooMuchToReplay ? new Refused(`${error.message}: name a part of the log.`) : error;
  });
  const documents = [...replay.documents()].flatMap(([collection, ofIt]) =>
    [...ofIt.values()].map(({ id, tenant, data }) => ({
      ...{ collection, id, tenant },
      data: redactedObject(asJson(data) as JsonObject),
    })),
  );
  return { name, events, documents, parked: replay.parked };
}
