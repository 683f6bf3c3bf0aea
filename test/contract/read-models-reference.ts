/** What the port promises, evaluated plainly over a list: every adapter is compared with it. */
import { allowsTypo, isOneTypoApart, words, type Likeness } from '../../src/domain/words.ts';
import type { Json, JsonObject } from '../../src/ports/event-store.ts';
import {
  longestTitle,
  matchLikenesses,
  matchPlaces,
  type CollectionSpec,
  type Document,
  type Filter,
  type Query,
  type Scope,
  type TextMatch,
} from '../../src/ports/read-models.ts';

type Scalar = string | number | boolean | null;

export function at(data: Json, path: string): Json {
  let value: Json = data;
  for (const key of path.split('.')) value = isObject(value) ? (value[key] ?? null) : null;
  return value;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function sees(spec: CollectionSpec, scope: Scope, document: Document): boolean {
  return scope.kind === 'platform' || spec.visibility === 'public' || document.tenant === scope.tenant;
}

export function matches(data: Json, filter?: Filter): boolean {
  if (!filter) return true;
  if ('equal' in filter) return at(data, filter.equal[0]) === filter.equal[1];
  if ('in' in filter) return filter.in[1].some((value) => value === at(data, filter.in[0]));
  if ('and' in filter) return filter.and.every((part) => matches(data, part));
  if ('or' in filter) return filter.or.some((part) => matches(data, part));
  if ('contains' in filter) {
    const elements = at(data, filter.contains[0]);
    return Array.isArray(elements) && elements.some((element) => element === filter.contains[1]);
  }
  const [path, { gt, gte, lt, lte }] = filter.range;
  const value = at(data, path);
  const bounded = (bound: Scalar | undefined, holds: (order: number) => boolean): boolean =>
    bound === undefined || (kind(bound) === kind(value) && holds(compare(value, bound)));
  return (
    bounded(gt, (order) => order > 0) &&
    bounded(gte, (order) => order >= 0) &&
    bounded(lt, (order) => order < 0) &&
    bounded(lte, (order) => order <= 0)
  );
}

function kind(value: Json): string {
  return value === null ? 'null' : typeof value;
}

/** Null first; strings by code point, which is the order of their UTF-8. */
function compare(a: Json, b: Json): number {
  if (a === null || b === null) return Number(b === null) - Number(a === null);
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Number(a) - Number(b);
}

export function sorted(documents: readonly Document[], sort: Query['sort'] = []): readonly Document[] {
  const last = sort.at(-1)?.order ?? 'asc';
  return documents.toSorted((a, b) => {
    for (const { path, order } of sort) {
      const difference = compare(at(a.data, path), at(b.data, path));
      if (difference !== 0) return order === 'asc' ? difference : -difference;
    }
    return last === 'asc' ? compare(a.id, b.id) : compare(b.id, a.id);
  });
}

export function facetsOf(documents: readonly Document[], path: string): ReadonlyMap<Json, number> {
  const counts = new Map<Json, number>();
  for (const { data } of documents) {
    const value = at(data, path);
    for (const element of new Set(Array.isArray(value) ? (value as readonly Json[]) : [value])) {
      if (element !== null) counts.set(element, (counts.get(element) ?? 0) + 1);
    }
  }
  return counts;
}

/** Null: they are not alike. */
function likeness(typed: string, word: string): Likeness | null {
  if (word === typed) return 'exact';
  if (word.startsWith(typed)) return 'prefix';
  return allowsTypo(typed) && isOneTypoApart(typed, word) ? 'typo' : null;
}

/** Null: some word is nowhere. */
export function matchOf(spec: CollectionSpec, data: Json, typed: readonly string[]): TextMatch | null {
  const [title = [], ...others] = spec.text.map((path) => {
    const value = at(data, path);
    const texts = (Array.isArray(value) ? value : [value]).filter((part) => typeof part === 'string');
    return words(texts.join(' '));
  });
  const has = (text: readonly string[], allowed: readonly unknown[]) => (word: string) =>
    text.some((candidate) => allowed.includes(likeness(word, candidate) ?? 'not at all'));
  for (const place of matchPlaces)
    for (const [last, loosest] of matchLikenesses.entries()) {
      const allowed = matchLikenesses.slice(0, last + 1);
      const inTitle = has(title, allowed);
      if (place === 'title') {
        const length = Math.min(title.length, longestTitle);
        if (typed.every(inTitle)) return { place, likeness: loosest, length };
      } else if (typed.every(has([...title, ...others.flat()], allowed))) {
        if (place === 'elsewhere' || typed.some(inTitle)) return { place, likeness: loosest };
      }
    }
  return null;
}

/** Below 0 when the first comes first. */
export function compareMatches(a: TextMatch, b: TextMatch): number {
  const lengthOf = (match: TextMatch): number => (match.place === 'title' ? match.length : 0);
  return (
    matchPlaces.indexOf(a.place) - matchPlaces.indexOf(b.place) ||
    matchLikenesses.indexOf(a.likeness) - matchLikenesses.indexOf(b.likeness) ||
    lengthOf(a) - lengthOf(b)
  );
}
