/**
 * Which generations and collections there are: one document a projection, so that each change of it is one write, whole at any
 * crash. What other processes change is seen within a second; what they replaced stays for a minute.
 */
import { randomUUID } from 'node:crypto';
import type { Collection, Db, Document as Fields } from 'mongodb';
import {
  StaleFence,
  UnanswerableQuery,
  type Checkpoint,
  type CollectionSpec,
  type Generation,
} from '../../ports/read-models.ts';
import type { MongoConnection } from './connection.ts';
import { CODES, hasCode } from './errors.ts';
import { wordsOf } from './read-models-search.ts';

export interface StoredCollection {
  /** Its name in the database; never used again. */
  readonly stored: string;
  readonly spec: CollectionSpec;
}

export interface StoredGeneration {
  readonly version: number;
  readonly fence: number;
  readonly checkpoint: Checkpoint | null;
  /** Of the last commit: who does not know how one ended finds out. */
  readonly commit: string | null;
  /** Another whenever the collections become others: who writes into those before is refused. */
  readonly epoch: string;
  readonly collections: readonly StoredCollection[];
}

export interface StoredProjection {
  /** The projection. */
  readonly _id: string;
  /** Counts changes of anything but checkpoints and fences. */
  readonly revision: number;
  readonly active: number | null;
  /** By {@link keyOf}. */
  readonly generations: Readonly<Record<string, StoredGeneration>>;
  readonly dropped: readonly { readonly stored: string; readonly at: Date }[];
}

/** A change to one projection, made anew where another was faster. */
export interface Change {
  readonly set: Fields;
  /** Keys of generations. */
  readonly removed?: readonly string[];
  readonly dropped?: readonly StoredCollection[];
  /** Made for this change, and of no use where it is not made. */
  readonly created?: readonly StoredCollection[];
}

export interface Catalogue {
  /** @throws {UnanswerableQuery} */
  answering(collection: string): Promise<StoredCollection>;
  /** @throws {UnanswerableQuery} when it was not declared */
  generation(generation: Generation): Promise<StoredGeneration>;
  projections(): Promise<readonly StoredProjection[]>;
  refresh(): Promise<void>;
  /**
   * @param fence shown with it, and looked at in the same write
   * @param decide of what is stored. It may throw, and nothing is changed.
   * @throws {StaleFence}
   */
  change(
    generation: Generation,
    fence: number | undefined,
    decide: (stored: StoredProjection) => Promise<Change>,
  ): Promise<void>;
  /** Removes collections that nobody reads any more. */
  sweep(): Promise<void>;
}

/** Milliseconds for which what was read is believed. */
const BELIEVED = 1_000;
/** Milliseconds for which collections stay that were replaced: somebody may be reading them. */
const KEPT = 60_000;

export function keyOf({ version }: Generation): string {
  return `v${version}`;
}

export function recordsOf(db: Db): Collection<StoredProjection> {
  return db.collection<StoredProjection>('read_models');
}

export function newStored({ version }: Generation, { name }: CollectionSpec): string {
  return `${name}.v${version}.${randomUUID().slice(0, 8)}`;
}

export function openCatalogue({ asking }: Pick<MongoConnection, 'asking'>, keptFor = KEPT): Catalogue {
  let known: readonly StoredProjection[] = [];
  let readAt = -Infinity;

  const read = async (): Promise<readonly StoredProjection[]> => {
    const at = performance.now();
    known = await asking((db) => recordsOf(db).find({}).sort({ _id: 1 }).toArray());
    readAt = at;
    return known;
  };
  /** Of many that ask at once, one reads. */
  let reading: Promise<readonly StoredProjection[]> | null = null;
  const believed = async (): Promise<readonly StoredProjection[]> => {
    if (performance.now() - readAt < BELIEVED) return known;
    reading ??= read().finally(() => {
      reading = null;
    });
    return reading;
  };

  /** What cannot be found may have come since. */
  async function found<T>(
    look: (among: readonly StoredProjection[]) => T | undefined,
  ): Promise<T | undefined> {
    return look(await believed()) ?? look(await read());
  }

  async function stored(projection: string): Promise<StoredProjection> {
    const fresh = { _id: projection, revision: 0, active: null, generations: {}, dropped: [] };
    return asking(async (db) => {
      const records = recordsOf(db);
      const known = await records.findOne({ _id: projection });
      if (known) return known;
      try {
        await records.insertOne(fresh);
        return fresh;
      } catch (error) {
        // Another process was as fast.
        if (!hasCode(error, CODES.duplicateKey)) throw error;
        return (await records.findOne({ _id: projection })) ?? fresh;
      }
    });
  }

  /** @returns whether it was made; another may have been faster, or have shown a higher fence */
  async function make(
    before: StoredProjection,
    generation: Generation,
    fence: number | undefined,
    { set, removed = [], dropped = [] }: Change,
  ): Promise<boolean> {
    const at = new Date();
    const path = `generations.${keyOf(generation)}.fence`;
    const guard = {
      ...{ _id: before._id, revision: before.revision },
      ...(fence !== undefined && { [path]: { $lte: fence } }),
    };
    const unset: Record<string, 1> = Object.fromEntries(removed.map((key) => [`generations.${key}`, 1]));
    const update = {
      ...(Object.keys(set).length > 0 || fence !== undefined
        ? { $set: { ...set, ...(fence !== undefined && { [path]: fence }) } }
        : {}),
      ...(removed.length > 0 ? { $unset: unset } : {}),
      $inc: { revision: 1 },
      $push: { dropped: { $each: dropped.map(({ stored }) => ({ stored, at })) } },
    };
    return (await asking((db) => recordsOf(db).updateOne(guard, update))).matchedCount === 1;
  }

  const remove = (names: readonly string[]): Promise<void> =>
    asking(async (db) => {
      for (const name of names) {
        await db.dropCollection(name);
        await wordsOf(db, name).drop();
      }
    });

  async function sweep(): Promise<void> {
    const until = new Date(Date.now() - keptFor);
    for (const { _id, dropped } of await read()) {
      const over = dropped.filter(({ at }) => at <= until).map(({ stored }) => stored);
      if (over.length === 0) continue;
      await remove(over);
      await asking((db) =>
        recordsOf(db).updateOne({ _id }, { $pull: { dropped: { stored: { $in: over } } } }),
      );
    }
  }

  /** What cannot be removed then, or is left by a process that ended before, the next start removes. */
  function sweepLater(): void {
    setTimeout(() => void sweep().catch(() => undefined), keptFor + 1).unref();
  }

  return {
    refresh: async () => {
      await read();
    },
    projections: read,

    async answering(collection) {
      const answers = await found((among) =>
        among
          .flatMap(({ active, generations }) => (active === null ? [] : [generations[`v${active}`]]))
          .flatMap((generation) => generation?.collections ?? [])
          .find(({ spec }) => spec.name === collection),
      );
      if (!answers) throw new UnanswerableQuery(`no active generation has a collection ${collection}`);
      return answers;
    },

    async generation(generation) {
      const { projection, version } = generation;
      const its = await found(
        (among) => among.find(({ _id }) => _id === projection)?.generations[keyOf(generation)],
      );
      if (!its)
        throw new UnanswerableQuery(`version ${version} of projection ${projection} was never declared`);
      return its;
    },

    async change(generation, fence, decide) {
      for (;;) {
        const before = await stored(generation.projection);
        const highest = before.generations[keyOf(generation)]?.fence ?? 0;
        if (fence !== undefined && fence < highest) throw staleFence(generation, fence, highest);
        const change = await decide(before);
        if (await make(before, generation, fence, change)) {
          if (change.dropped?.length) sweepLater();
          break;
        }
        await remove((change.created ?? []).map(({ stored }) => stored));
      }
      await read();
    },

    sweep,
  };
}

export function staleFence({ projection, version }: Generation, fence: number, shown: number): StaleFence {
  return new StaleFence(
    `version ${version} of projection ${projection}: fence ${fence} is over, ${shown} was shown`,
  );
}
