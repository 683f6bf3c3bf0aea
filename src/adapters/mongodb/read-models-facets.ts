/** Facets, counted where the documents are. */
import type { Collection } from 'mongodb';
import type { Json } from '../../ports/event-store.ts';
import type { CollectionSpec, Filter, Scope } from '../../ports/read-models.ts';
import { checkPath } from '../read-models/path.ts';
import { checkLimit } from '../read-models/query.ts';
import { where } from './read-models-filter.ts';
import { field, type StoredDocument } from './read-models-stored.ts';

export interface FacetQuery {
  readonly scope: Scope;
  readonly filter?: Filter;
  readonly path: string;
  readonly limit: number;
}

/** Elements of an array count once a document; an object is no value. */
const values = {
  $cond: [
    { $isArray: '$v' },
    { $setUnion: ['$v', []] },
    { $cond: [{ $eq: [{ $type: '$v' }, 'object'] }, [], ['$v']] },
  ],
};

export async function facets(
  collection: Collection<StoredDocument>,
  spec: CollectionSpec,
  query: FacetQuery,
): Promise<readonly { readonly value: Json; readonly count: number }[]> {
  checkLimit(query.limit);
  checkPath(query.path);
  const counted = collection.aggregate<{ readonly _id: Json; readonly count: number }>([
    { $match: where(spec, query) },
    { $project: { v: `$${field(query.path)}` } },
    { $project: { v: values } },
    { $unwind: '$v' },
    { $group: { _id: '$v', count: { $sum: 1 } } },
    { $match: { _id: { $ne: null } } },
    { $sort: { count: -1, _id: 1 } },
    { $limit: query.limit },
  ]);
  return (await counted.toArray()).map(({ _id: value, count }) => ({ value, count }));
}
