/** What changes read models: generations, and documents with their checkpoint. */
import { randomUUID } from 'node:crypto';
import type { AnyBulkWriteOperation, ClientSession, Db } from 'mongodb';
import type { Checkpoint, CollectionSpec, Generation, ReadModels, Write } from '../../ports/read-models.ts';
import { checkCollections } from '../read-models/path.ts';
import { tokensOf } from '../read-models/tokens.ts';
import type { MongoConnection } from './connection.ts';
import {
  keyOf,
  newStored,
  recordsOf,
  staleFence,
  type Catalogue,
  type Change,
  type StoredCollection,
  type StoredGeneration,
} from './read-models-catalogue.ts';
import { adaptIndexes } from './read-models-indexes.ts';
import { createVocabulary, openVocabularies } from './read-models-search.ts';
import { toDocument, toStored, type StoredDocument } from './read-models-stored.ts';

/** Documents at once, where all are gone through. */
const PAGE = 500;
/** So many documents are sooner deleted than the indexes of a new collection are made. */
const FEW = 1_000;

export type Writing = Pick<ReadModels, 'declare' | 'activate' | 'reset' | 'fence' | 'commit'>;

type Emptied = Required<Pick<Change, 'set' | 'created'>>;

export function writing(connection: MongoConnection, catalogue: Catalogue): Writing {
  const { asking, transaction } = connection;
  const vocabularies = openVocabularies();

  async function create(generation: Generation, spec: CollectionSpec): Promise<StoredCollection> {
    const stored = newStored(generation, spec);
    await asking(async (db) => {
      await adaptIndexes(db, stored, spec);
      if (spec.text.length > 0) await createVocabulary(db, stored);
    });
    return { stored, spec };
  }

  /** Before the declaration is kept: after a crash in here it is found to differ, and adapted once more. */
  async function adapt(before: StoredCollection, spec: CollectionSpec): Promise<StoredCollection> {
    const { stored } = before;
    await asking((db) => adaptIndexes(db, stored, spec));
    if (JSON.stringify(before.spec.text) !== JSON.stringify(spec.text))
      await asking(async (db) => {
        await createVocabulary(db, stored);
        await indexAll(db, stored, spec);
      });
    return { stored, spec };
  }

  async function indexAll(db: Db, stored: string, spec: CollectionSpec): Promise<void> {
    const documents = db.collection<StoredDocument>(stored);
    let batch: AnyBulkWriteOperation<StoredDocument>[] = [];
    for await (const document of documents.find({}, { batchSize: PAGE })) {
      const { tokens, words } = tokensOf(spec, toDocument(document).data);
      await vocabularies.learn(db, stored, words);
      batch.push({ updateOne: { filter: { _id: document._id }, update: { $set: { s: [...tokens] } } } });
      if (batch.length < PAGE) continue;
      await documents.bulkWrite(batch, { ordered: false });
      batch = [];
    }
    if (batch.length > 0) await documents.bulkWrite(batch, { ordered: false });
  }

  /** Member by member: a fence may be shown in the same write, and stays what it is otherwise. */
  async function emptied(generation: Generation, specs: readonly CollectionSpec[]): Promise<Emptied> {
    const collections = await Promise.all(specs.map((spec) => create(generation, spec)));
    const path = `generations.${keyOf(generation)}`;
    const set = {
      [`${path}.version`]: generation.version,
      [`${path}.checkpoint`]: null,
      [`${path}.commit`]: null,
      [`${path}.epoch`]: randomUUID(),
      [`${path}.collections`]: collections,
    };
    return { set, created: collections };
  }

  async function declare(generation: Generation, specs: readonly CollectionSpec[]): Promise<void> {
    checkCollections(specs);
    const { projection } = generation;
    for (const { _id, generations } of await catalogue.projections()) {
      const taken = Object.values(generations).flatMap(({ collections }) => collections);
      const name = taken.find(({ spec }) => specs.some((other) => other.name === spec.name))?.spec.name;
      if (_id !== projection && name !== undefined)
        throw new Error(`collection ${name} belongs to projection ${_id} already`);
    }
    await catalogue.change(generation, undefined, async ({ generations }) => {
      const its = generations[keyOf(generation)];
      const known = its?.collections ?? [];
      const left = known.filter(({ spec }) => !specs.some(({ name }) => name === spec.name));
      const isGrown = specs.some(({ name }) => !known.some(({ spec }) => spec.name === name));
      const path = `generations.${keyOf(generation)}`;
      // What the log already told is missing in a new collection: this generation begins again.
      if (isGrown || !its) {
        const { set, created } = await emptied(generation, specs);
        return { set: { ...set, ...(!its && { [`${path}.fence`]: 0 }) }, dropped: known, created };
      }
      const collections: StoredCollection[] = [];
      for (const spec of specs) {
        const before = known.find((one) => one.spec.name === spec.name);
        if (before) collections.push(await adapt(before, spec));
      }
      // Written even where it is the same: a commit whose end is not known holds this document, so behind this write it has ended.
      return { set: { [`${path}.collections`]: collections }, dropped: left };
    });
  }

  /** In one write with what it is shown for. @returns whether it was the first to make this commit */
  async function note(
    db: Db,
    generation: Generation,
    epoch: string,
    noted: {
      readonly checkpoint: Checkpoint | null;
      readonly commit: string;
      readonly fence: number | undefined;
    },
    session?: ClientSession,
  ): Promise<boolean> {
    const path = `generations.${keyOf(generation)}`;
    const { checkpoint, commit, fence } = noted;
    const { matchedCount } = await recordsOf(db).updateOne(
      {
        _id: generation.projection,
        [`${path}.epoch`]: epoch,
        [`${path}.commit`]: { $ne: commit },
        ...(fence !== undefined && { [`${path}.fence`]: { $lte: fence } }),
      },
      {
        $set: {
          [`${path}.checkpoint`]: checkpoint,
          [`${path}.commit`]: commit,
          ...(fence !== undefined && { [`${path}.fence`]: fence }),
        },
      },
      session ? { session } : {},
    );
    return matchedCount === 1;
  }

  /** @param made what is written to the collections as they are then; it is made anew when they became others */
  async function write(
    generation: Generation,
    checkpoint: Checkpoint | null,
    fence: number | undefined,
    made: (its: StoredGeneration) => readonly Batch[],
  ): Promise<void> {
    const noted = { checkpoint, fence, commit: randomUUID() };
    for (let its = await catalogue.generation(generation); ;) {
      const batches = made(its);
      await asking(async (db) => {
        for (const { stored, words } of batches) await vocabularies.learn(db, stored, words);
      });
      const { epoch } = its;
      const isMade =
        batches.length === 0
          ? await asking((db) => note(db, generation, epoch, noted))
          : await transaction(async (session) => {
              if (!(await note(connection.db, generation, epoch, noted, session))) return false;
              for (const { stored, operations } of batches)
                await connection.db
                  .collection<StoredDocument>(stored)
                  .bulkWrite(operations, { session, ordered: false });
              return true;
            });
      if (isMade) return;
      await catalogue.refresh();
      its = await catalogue.generation(generation);
      // An earlier try did it after all, and nobody heard of it.
      if (its.commit === noted.commit) return;
      if (fence !== undefined && fence < its.fence) throw staleFence(generation, fence, its.fence);
    }
  }

  async function hasFew({ collections }: StoredGeneration): Promise<boolean> {
    let left = FEW;
    for (const { stored } of collections)
      left -= await asking((db) => db.collection(stored).countDocuments({}, { limit: left + 1 }));
    return left >= 0;
  }

  return {
    declare,

    async activate(generation, fence) {
      const { version } = generation;
      await catalogue.generation(generation);
      await catalogue.change(generation, fence, async ({ generations }) => {
        mustExist(generation, generations[keyOf(generation)]);
        const others = Object.entries(generations).filter(([key]) => key !== keyOf(generation));
        return {
          set: { active: version },
          removed: others.map(([key]) => key),
          dropped: others.flatMap(([, { collections }]) => collections),
        };
      });
    },

    async reset(generation, fence) {
      if (await hasFew(await catalogue.generation(generation)))
        return write(generation, null, fence, ({ collections }) =>
          collections.map(({ stored }) => ({
            ...{ stored, words: new Set<string>() },
            operations: [{ deleteMany: { filter: {} } }],
          })),
        );
      await catalogue.change(generation, fence, async ({ generations }) => {
        const its = mustExist(generation, generations[keyOf(generation)]);
        const specs = its.collections.map(({ spec }) => spec);
        return { ...(await emptied(generation, specs)), dropped: its.collections };
      });
    },

    async fence(generation, fence) {
      await catalogue.change(generation, fence, async ({ generations }) => {
        mustExist(generation, generations[keyOf(generation)]);
        return { set: {} };
      });
    },

    commit: (generation, writes, checkpoint, fence) =>
      write(generation, checkpoint, fence, (its) => batchesOf(generation, its, writes)),
  };
}

function mustExist({ projection, version }: Generation, its: StoredGeneration | undefined): StoredGeneration {
  if (!its) throw new Error(`version ${version} of projection ${projection} was never declared`);
  return its;
}

interface Batch {
  readonly stored: string;
  readonly operations: AnyBulkWriteOperation<StoredDocument>[];
  readonly words: ReadonlySet<string>;
}

/** Of several writes to a document the last one counts: so within a collection they need no order. */
function batchesOf(
  { projection, version }: Generation,
  { collections }: StoredGeneration,
  writes: readonly Write[],
): readonly Batch[] {
  const last = new Map<string, Map<string, Write>>();
  for (const write of writes) {
    const [collection, id] =
      'put' in write
        ? [write.put.collection, write.put.document.id]
        : [write.delete.collection, write.delete.id];
    const own = last.get(collection) ?? new Map<string, Write>();
    own.set(id, write);
    last.set(collection, own);
  }
  return [...last].map(([name, own]) => {
    const its = collections.find(({ spec }) => spec.name === name);
    if (!its) throw new Error(`version ${version} of projection ${projection} has no collection ${name}`);
    const { stored, spec } = its;
    const words = new Set<string>();
    const operations = [...own.values()].map((write): AnyBulkWriteOperation<StoredDocument> => {
      if ('delete' in write) return { deleteOne: { filter: { _id: write.delete.id } } };
      const { document } = write.put;
      if (spec.text.length > 0) for (const word of tokensOf(spec, document.data).words) words.add(word);
      const replacement = toStored(spec, document);
      return { replaceOne: { filter: { _id: document.id }, replacement, upsert: true } };
    });
    return { stored, operations, words };
  });
}
