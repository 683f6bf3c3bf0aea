/**
 * Full text as tokens. What a search asks for, and in which order it wants the answers, is whether a document has tokens: so
 * the best thousandth of what matches is found without a look at the rest, which ranking by frequencies would have to weigh.
 *
 * A token of a word is a letter that says what it means, and the word. A word of a title has three: `3stripe` of a title of
 * three words, `nstripe` of any title, `astripe` of anywhere; other words are anywhere alone.
 */
import { words } from '../../domain/words.ts';
import { longestTitle, type CollectionSpec } from '../../ports/read-models.ts';
import { valueAt } from './path.ts';

/** Of a text field, this many words are searchable. */
const WORDS_INDEXED = 5000;

export const ANYWHERE = 'a';
export const TITLE = 'n';
/** By number of words in the title, the shortest first. */
export const TITLES: readonly string[] = Array.from({ length: longestTitle }, (_, at) => String(at + 1));

export interface Tokens {
  /** Of the words. */
  readonly tokens: ReadonlySet<string>;
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
  return { tokens: new Set(tokens), words: everything };
}

/** Of an array, the strings count. */
function textAt(data: object, path: string): readonly string[] {
  const value = valueAt(data, path);
  const texts = (Array.isArray(value) ? value : [value]).filter((text) => typeof text === 'string');
  return words(texts.join(' ')).slice(0, WORDS_INDEXED);
}

/** Two words within one typo share one of these: each word itself, or what is left of it without one of its letters. */
export function variants(word: string): readonly string[] {
  const shorter = Array.from({ length: word.length }, (_, at) => word.slice(0, at) + word.slice(at + 1));
  return [...new Set([word, ...shorter])];
}
