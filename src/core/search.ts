/** Ranks what a full-text search found. Done here and not in a store, so that every store's answers read alike. */
import { likeness, words, type Likeness } from '../domain/words.ts';
import type { Document } from '../ports/read-models.ts';

const MOST_WORDS = 8;

/** How much a word of a text counts that is only like the one asked for. */
const WORTH: Readonly<Record<Likeness, number>> = { exact: 1, prefix: 0.8, typo: 0.5 };
/** The part of a score that tells apart texts which say nothing else from texts which also say it. */
const FOCUS = 0.1;

/** A text field of the documents and what a word found in it is worth, above 0; `{ path: 'name', weight: 1 }`. */
export interface FieldWeight {
  /** Dotted path to a string or an array of strings. */
  readonly path: string;
  readonly weight: number;
}

export interface Ranked<D extends object> {
  readonly document: Document<D>;
  /** 0..1, rounded to four decimals; 1 is a document whose weightiest field says exactly what was asked. */
  readonly score: number;
}

/** The words of what a person typed, for `ReadModels.search`: the first eight different ones. */
export function searchWords(query: string): readonly string[] {
  return [...new Set(words(query))].slice(0, MOST_WORDS);
}

/**
 * The candidates that have every word of the query, best first, equals by id. Each word counts by its best place: the
 * field's weight times how exact it is there; a rather short text that has it counts a little more than a long one.
 */
export function rank<D extends object>(
  query: string,
  candidates: readonly Document<D>[],
  weights: readonly FieldWeight[],
): readonly Ranked<D>[] {
  const asked = searchWords(query);
  const heaviest = Math.max(...weights.map(({ weight }) => weight));
  const ranked: Ranked<D>[] = [];
  for (const document of candidates) {
    const fields = weights.map(({ path, weight }) => ({
      weight: weight / heaviest,
      words: textAt(document.data, path),
    }));
    const score = scoreOf(asked, fields);
    if (score > 0) ranked.push({ document, score: Math.round(score * 10_000) / 10_000 });
  }
  return ranked.sort((a, b) => b.score - a.score || compareText(a.document.id, b.document.id));
}

interface Field {
  readonly weight: number;
  readonly words: readonly string[];
}

function scoreOf(asked: readonly string[], fields: readonly Field[]): number {
  if (asked.length === 0) return 0;
  const found = asked.map((typed) =>
    Math.max(0, ...fields.map((field) => worthIn(field, asked.length, typed))),
  );
  // Candidates may come from a store that is more lenient than this ranking: they are left out.
  return found.includes(0) ? 0 : found.reduce((sum, worth) => sum + worth, 0) / found.length;
}

function worthIn(field: Field, asked: number, typed: string): number {
  let best = 0;
  for (const word of field.words) {
    const like = likeness(typed, word);
    if (like !== null) best = Math.max(best, WORTH[like]);
  }
  const focus = Math.min(1, asked / Math.max(1, field.words.length));
  return best * field.weight * (1 - FOCUS + FOCUS * focus);
}

function textAt(data: object, path: string): readonly string[] {
  let value: unknown = data;
  for (const key of path.split('.')) {
    value = typeof value === 'object' && value !== null ? (Reflect.get(value, key) as unknown) : undefined;
  }
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  return words(texts.filter((text) => typeof text === 'string').join(' '));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
