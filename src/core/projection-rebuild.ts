/** What answers beside what the log makes of it now: differences are told, or mended at once in one transaction. */
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../ports/clock.ts';
import type { EventStore, Position } from '../ports/event-store.ts';
import type { Document, ReadModels, Write } from '../ports/read-models.ts';
import type { Parked } from './projection-bookmark.ts';
import type { ProjectionLedger } from './projection-ledger.ts';
import { openReplay } from './projection-replay.ts';
import type { Projection } from './projection.ts';
import type { Schemas } from './schemas.ts';

export interface DocumentDifference {
  readonly collection: string;
  readonly id: string;
  /** What answers; null: there is none. */
  readonly kept: Document | null;
  /** What the log makes of it; null: nothing. */
  readonly rebuilt: Document | null;
}

export interface Comparison {
  /** Up to where both have come; null: there was nothing to be built of. */
  readonly position: Position | null;
  /** How many there are when rebuilt. */
  readonly documents: number;
  readonly differences: readonly DocumentDifference[];
  /** What cannot be digested now either. */
  readonly parked: readonly Parked[];
}

/** Events: some tens of seconds, and what memory carries. */
const mostReplayed = 1_000_000;
const pageSize = 1_000;

export interface RebuildOptions {
  readonly store: EventStore;
  readonly models: ReadModels;
  readonly schemas: Schemas;
  readonly projection: Projection;
  readonly clock: Clock;
  readonly ledger: ProjectionLedger;
  /** Runs while nothing else writes the documents. */
  readonly exclusive: <T>(task: () => Promise<T>) => Promise<T>;
}

/**
 * The projection goes on meanwhile, and waits only for the end of it.
 * @param mend whether what answers becomes what was rebuilt; nothing changes when that fails
 * @throws {TooMuchToReplay}
 */
export async function compareWithLog(options: RebuildOptions, mend: boolean): Promise<Comparison> {
  const { ledger, projection, models, exclusive } = options;
  const replay = openReplay({ ...options, most: mostReplayed });
  const { position: sofar } = ledger;
  if (sofar) await replay.to(sofar);
  return exclusive(async () => {
    const { position } = ledger;
    if (position) await replay.to(position);
    const { parked } = replay;
    const rebuilt = replay.documents();
    const differences: DocumentDifference[] = [];
    let documents = 0;
    for (const { name: collection } of projection.collections) {
      const made = new Map(rebuilt.get(collection));
      documents += made.size;
      for await (const kept of everyOne(models, collection)) {
        const { id } = kept;
        const other = made.get(id) ?? null;
        made.delete(id);
        if (!other || !isSame(kept, other)) differences.push({ collection, id, kept, rebuilt: other });
      }
      for (const [id, other] of made) differences.push({ collection, id, kept: null, rebuilt: other });
    }
    if (mend && position) await write(ledger, position, differences, parked);
    return { position, documents, differences, parked };
  });
}

function isSame(a: Document, b: Document): boolean {
  return a.tenant === b.tenant && isDeepStrictEqual(a.data, b.data);
}

async function* everyOne(models: ReadModels, collection: string): AsyncGenerator<Document> {
  const scope = { kind: 'platform' } as const;
  let cursor: string | undefined;
  do {
    const page: Awaited<ReturnType<typeof models.find<Document['data']>>> = await models.find(collection, {
      ...{ scope, limit: pageSize },
      ...(cursor !== undefined && { cursor }),
    });
    yield* page.documents;
    ({ cursor } = page);
  } while (cursor !== undefined);
}

async function write(
  ledger: ProjectionLedger,
  position: Position,
  differences: readonly DocumentDifference[],
  parked: readonly Parked[],
): Promise<void> {
  const before = ledger.troubles;
  const writes = differences.map(({ collection, id, rebuilt }): Write =>
    rebuilt ? { put: { collection, document: rebuilt } } : { delete: { collection, id } },
  );
  try {
    ledger.troubles = { trying: null, parked };
    await ledger.commit({ writes: () => writes }, position, null);
  } catch (error) {
    ledger.troubles = before;
    throw error;
  }
}
