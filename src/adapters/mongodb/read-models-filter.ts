/** Filters and scopes as MongoDB's queries. Its paths go into arrays and its null is in them too: the port's do not. */
import type { Filter as Query } from 'mongodb';
import type { CollectionSpec, Filter, Scope } from '../../ports/read-models.ts';
import { checkPath } from '../read-models/path.ts';
import { field, type StoredDocument } from './read-models-stored.ts';

export type Condition = Query<StoredDocument>;
type Scalar = string | number | boolean | null;

const never: Condition = { _id: { $in: [] } };

export function all(conditions: readonly Condition[]): Condition {
  const [only, ...others] = conditions.filter((condition) => Object.keys(condition).length > 0);
  if (!only) return {};
  return others.length === 0 ? only : { $and: [only, ...others] };
}

function any(conditions: readonly Condition[]): Condition {
  const [only, ...others] = conditions;
  if (!only) return never;
  return others.length === 0 ? only : { $or: [only, ...others] };
}

/** The one place that decides whose documents a question sees. Every question has it. */
export function visible(spec: CollectionSpec, scope: Scope): Condition {
  switch (scope.kind) {
    case 'platform':
      return {};
    case 'tenant':
      return spec.visibility === 'public' ? {} : { t: scope.tenant };
  }
}

/** What a question asks for, within its scope. */
export function where(
  spec: CollectionSpec,
  query: { readonly scope: Scope; readonly filter?: Filter },
): Condition {
  const scope = visible(spec, query.scope);
  return query.filter === undefined ? scope : all([scope, condition(query.filter)]);
}

export function condition(filter: Filter): Condition {
  if ('equal' in filter) return equal(...filter.equal);
  if ('in' in filter) return oneOf(...filter.in);
  if ('range' in filter) return range(...filter.range);
  if ('contains' in filter) return contains(...filter.contains);
  if ('and' in filter) return all(filter.and.map(condition));
  return any(filter.or.map(condition));
}

function equal(path: string, value: Scalar): Condition {
  return value === null ? isNull(path) : all([at(path, value), ...noArrays(path)]);
}

function oneOf(path: string, values: readonly Scalar[]): Condition {
  checkPath(path);
  const plain = values.filter((value) => value !== null);
  const some = plain.length === 0 ? [] : [all([at(path, { $in: plain }), ...noArrays(path)])];
  return any(values.includes(null) ? [...some, isNull(path)] : some);
}

/** A bound compares only with values of its own type, as MongoDB's do; null is only ever equal to null. */
function range(
  path: string,
  bounds: { readonly [Bound in 'gt' | 'gte' | 'lt' | 'lte']?: Scalar },
): Condition {
  checkPath(path);
  const conditions: Condition[] = [];
  for (const bound of ['gt', 'gte', 'lt', 'lte'] as const) {
    const value = bounds[bound];
    if (value === undefined) continue;
    if (value === null) conditions.push(bound === 'gte' || bound === 'lte' ? isNull(path) : never);
    else conditions.push(at(path, { [`$${bound}`]: value }), ...noArrays(path));
  }
  return all(conditions);
}

function contains(path: string, element: Scalar): Condition {
  // Not `$elemMatch`: DocumentDB 1.0 ends over it where there is an index.
  return all([at(path, element), at(path, { $type: 'array' }), ...noArrays(parentOf(path))]);
}

/** Missing is null, and so is what lies behind an array. */
function isNull(path: string): Condition {
  const behindArrays = prefixes(parentOf(path)).map((prefix) => at(prefix, { $type: 'array' }));
  const missing = all([at(path, null), isNoArray(path)]);
  return behindArrays.length === 0 ? missing : any([missing, ...behindArrays]);
}

export function at(path: string, asked: unknown): Condition {
  checkPath(path);
  return { [field(path)]: asked };
}

function isNoArray(path: string): Condition {
  return at(path, { $not: { $type: 'array' } });
}

/** Neither the value nor anything on the way to it. */
function noArrays(path: string): readonly Condition[] {
  return prefixes(path).map(isNoArray);
}

/** `a.b` of `a.b.c`: `a` and `a.b`, and of nothing, nothing. */
function prefixes(path: string): readonly string[] {
  if (path === '') return [];
  return path.split('.').map((_, index, keys) => keys.slice(0, index + 1).join('.'));
}

function parentOf(path: string): string {
  return path.split('.').slice(0, -1).join('.');
}
