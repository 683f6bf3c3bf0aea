/** Pages of documents: sorting, offsets, and what comes after a cursor. */
import type { Collection, Sort } from 'mongodb';
import type { CollectionSpec, DocumentPage, Query } from '../../ports/read-models.ts';
import { checkPath } from '../read-models/path.ts';
import { beginningOf, encodeCursor, rangesAfter, type Place, type RangeAfter } from '../read-models/query.ts';
import { all, where, type Condition } from './read-models-filter.ts';
import { field, toDocument, type StoredDocument } from './read-models-stored.ts';

interface SortKey {
  readonly field: string;
  readonly order: 'asc' | 'desc';
}

/**
 * After a cursor several questions are asked, each for one range of an index, until the page is full: one with an OR would sort
 * all that comes after the cursor.
 */
export async function findPage<D extends object>(
  collection: Collection<StoredDocument>,
  spec: CollectionSpec,
  query: Query,
): Promise<DocumentPage<D>> {
  const beginning = beginningOf(query);
  const keys = sortKeys(query);
  const asked = where(spec, query);
  const wanted = query.limit + 1;
  const found: StoredDocument[] = [];
  if ('offset' in beginning) {
    const { offset } = beginning;
    found.push(
      ...(await collection.find(asked, { sort: sorted(keys), skip: offset, limit: wanted }).toArray()),
    );
  } else {
    const { after } = beginning;
    const orders = keys.map(({ order }) => order);
    for (const range of rangesAfter(orders, after)) {
      if (found.length >= wanted) break;
      const within = all([asked, ...conditionsOf(range, keys, after)]);
      const limit = wanted - found.length;
      found.push(...(await collection.find(within, { sort: sorted(keys), limit }).toArray()));
    }
  }
  const documents = found.slice(0, query.limit).map((stored) => toDocument<D>(stored));
  const last = documents.at(-1);
  return found.length > query.limit && last
    ? { documents, cursor: encodeCursor(query, last) }
    : { documents };
}

function sortKeys(query: Query): readonly SortKey[] {
  const keys = (query.sort ?? []).map(({ path, order }) => {
    checkPath(path);
    return { field: field(path), order };
  });
  return [...keys, { field: '_id', order: keys.at(-1)?.order ?? 'asc' }];
}

/** MongoDB's order is the port's: null and what is missing first, strings by their UTF-8. */
function sorted(keys: readonly SortKey[]): Sort {
  return new Map(keys.map(({ field, order }) => [field, order === 'asc' ? 1 : -1]));
}

function conditionsOf(
  { at, beyond }: RangeAfter,
  keys: readonly SortKey[],
  place: Place,
): readonly Condition[] {
  const same = keys.slice(0, at).map(({ field }, before) => ({ [field]: place[before] ?? null }));
  const key = keys[at]?.field ?? '_id';
  const value = place[at];
  const past = { greater: { $gt: value }, less: { $lt: value }, null: null, notNull: { $ne: null } };
  return [...same, { [key]: past[beyond] }];
}
