/** The indexes of a collection: made, and made anew where one differs from what is declared. */
import { createHash } from 'node:crypto';
import type { Db } from 'mongodb';
import type { CollectionSpec } from '../../ports/read-models.ts';
import { CODES, hasCode } from './errors.ts';
import { field } from './read-models-stored.ts';

/** Of a large collection that is there already, indexes take their time: longer than any other answer may. ms */
const MADE_WITHIN = 600_000;

type Keys = Readonly<Record<string, 1>>;

/**
 * Every index ends in the id, the tie-breaker of every sort. Where tenants see only their own, each index exists once more
 * under the tenant: otherwise a small tenant's question would walk through the documents of all.
 */
function indexesOf(spec: CollectionSpec): readonly Keys[] {
  const multi = new Set(spec.indexes.filter((index) => index.multi).flatMap(({ fields }) => fields));
  const declared = spec.indexes
    .filter((index) => !index.multi)
    .map(({ fields, covers = [] }) => ({
      ...keys(fields.map(field)),
      _id: 1 as const,
      // No index may be over two arrays.
      ...keys(covers.filter((path) => !fields.includes(path) && !multi.has(path)).map(field)),
    }));
  const elements = [...multi].map((path) => keys([field(path), '_id']));
  const words = spec.text.length > 0 ? [keys(['s', '_id'])] : [];
  const ofTenants =
    spec.visibility === 'public'
      ? []
      : [keys(['t', '_id']), ...declared.map((index) => ({ t: 1 as const, ...index }))];
  return [...declared, ...elements, ...words, ...ofTenants];
}

function keys(names: readonly string[]): Keys {
  return Object.fromEntries(names.map((name) => [name, 1]));
}

/** Creates the collection if need be. What is there already and as declared stays. */
export async function adaptIndexes(db: Db, stored: string, spec: CollectionSpec): Promise<void> {
  try {
    await db.createCollection(stored);
  } catch (error) {
    if (!hasCode(error, CODES.namespaceExists)) throw error;
  }
  const collection = db.collection(stored);
  const wanted = new Map(indexesOf(spec).map((index) => [nameOf(index), index]));
  for (const { name, key } of await collection.indexes()) {
    if (name === undefined || name === '_id_') continue;
    const index = wanted.get(name);
    if (index && JSON.stringify(index) === JSON.stringify(key)) wanted.delete(name);
    else await collection.dropIndex(name);
  }
  if (wanted.size === 0) return;
  await collection.createIndexes(
    [...wanted].map(([name, key]) => ({ name, key })),
    { timeoutMS: MADE_WITHIN },
  );
}

/** Names have a limit, and paths are long. */
function nameOf(index: Keys): string {
  return createHash('sha256').update(JSON.stringify(index)).digest('hex').slice(0, 16);
}
