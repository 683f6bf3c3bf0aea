/**
 * Facts that searches are filtered by, as tokens of the full text: the token of a fact is its number in two characters, which
 * keeps it out of the index of longer beginnings.
 */
import type { CollectionSpec } from '../../ports/read-models.ts';
import { valueAt } from '../read-models/path.ts';

type Scalar = string | number | boolean | null;

/** A field is this value, or an array with this element. */
export function factOf(kind: 'equal' | 'contains', path: string, value: Scalar): string {
  return JSON.stringify([kind, path, value]);
}

/** Letters to FTS5's tokenizer, and no beginning of a word's token. */
const firstDigit = 0x4e00;
const digits = 20_000;

/** @param number below 400 million */
export function factToken(number: number): string {
  return String.fromCharCode(firstDigit + Math.floor(number / digits), firstDigit + (number % digits));
}

export function factsOf(spec: CollectionSpec, data: object): ReadonlySet<string> {
  return new Set((spec.textFilters ?? []).flatMap((path) => factsAt(data, path)));
}

function factsAt(data: object, path: string): readonly string[] {
  const value = valueAt(data, path) ?? null;
  if (Array.isArray(value)) return value.filter(isScalar).map((element) => factOf('contains', path, element));
  return isScalar(value) ? [factOf('equal', path, value)] : [];
}

function isScalar(value: unknown): value is Scalar {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
