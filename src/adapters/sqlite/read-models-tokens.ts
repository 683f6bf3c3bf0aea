/**
 * Full text as tokens. What a search asks for, and in which order it wants the answers, is whether a document has tokens: so
 * the best thousandth of what matches is found without a look at the rest, which ranking by frequencies would have to weigh.
 *
 * A token of a word is a letter that says what it means, and the word. A word of a title has three: `3stripe` of a title of
 * three words, `nstripe` of any title, `astripe` of anywhere; other words are anywhere alone. The token of a fact that
 * searches are filtered by is its number in two characters, which keeps it out of the index of longer beginnings.
 */
import { words } from '../../domain/words.ts';
import { longestTitle, type CollectionSpec } from '../../ports/read-models.ts';
import { valueAt } from './read-models-path.ts';

/** Of a text field, this many words are searchable. */
const WORDS_INDEXED = 5000;

export const ANYWHERE = 'a';
export const TITLE = 'n';
/** By number of words in the title, the shortest first. */
export const TITLES: readonly string[] = Array.from({ length: longestTitle }, (_, at) => String(at + 1));

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

export interface Tokens {
  /** Of the words. */
  readonly tokens: ReadonlySet<string>;
  readonly facts: ReadonlySet<string>;
  /** The different words of all texts. */
  readonly words: ReadonlySet<string>;
}

export function tokensOf(spec: CollectionSpec, data: object): Tokens {
  const [title = [], ...others] = spec.text.map((path) => textAt(data, path));
  const length = String(Math.min(title.length, longestTitle));
  const everything = new Set([...title, ...others.flat()]);
  const tokens = [
    ...title.flatMap((word) => [length + word, TITLE + word]),
    ...[...everything].map((word) => ANYWHERE + word),
  ];
  const facts = (spec.textFilters ?? []).flatMap((path) => factsAt(data, path));
  return { tokens: new Set(tokens), facts: new Set(facts), words: everything };
}

/** Of an array, the strings count. */
function textAt(data: object, path: string): readonly string[] {
  const value = valueAt(data, path);
  const texts = (Array.isArray(value) ? value : [value]).filter((text) => typeof text === 'string');
  return words(texts.join(' ')).slice(0, WORDS_INDEXED);
}

function factsAt(data: object, path: string): readonly string[] {
  const value = valueAt(data, path) ?? null;
  if (Array.isArray(value)) return value.filter(isScalar).map((element) => factOf('contains', path, element));
  return isScalar(value) ? [factOf('equal', path, value)] : [];
}

function isScalar(value: unknown): value is Scalar {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
