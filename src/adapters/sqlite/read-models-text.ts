/** Full text: how texts are indexed, and how words become an FTS5 expression. Ranking is done above the port. */
import type { CollectionSpec } from '../../ports/read-models.ts';
import { allowsTypo, isOneTypoApart, words } from '../../domain/words.ts';
import { valueAt } from './read-models-path.ts';
import { variantsTable } from './read-models-schema.ts';
import type { Statements } from './read-models-statements.ts';

/** Of a text field, this many words are searchable. */
const WORDS_INDEXED = 5000;
/** A word with more neighbours than this in the vocabulary is searched with the first of them. */
const TYPOS_FOLLOWED = 100;

/** The words of each text field of a document, a list a field. Of arrays, the strings count. */
export function textOf(spec: CollectionSpec, data: object): readonly (readonly string[])[] {
  return spec.text.map((path) => {
    const value = valueAt(data, path);
    const texts = (Array.isArray(value) ? value : [value]).filter((text) => typeof text === 'string');
    return words(texts.join(' ')).slice(0, WORDS_INDEXED);
  });
}

/** Two words within one typo share one of these: each word itself, or what is left of it without one of its letters. */
export function variants(word: string): readonly string[] {
  const shorter = Array.from({ length: word.length }, (_, at) => word.slice(0, at) + word.slice(at + 1));
  return [...new Set([word, ...shorter])];
}

/**
 * FTS5 expressions that ask for all the words, the strictest first: as they are, as prefixes, with typos. Who runs them in
 * this order and stops at enough has the better candidates first.
 */
export function* expressions(
  statements: Statements,
  table: number,
  typed: readonly string[],
): Iterable<string> {
  const phrases = typed.map((word) => `"${word}"`);
  yield phrases.join(' AND ');
  const prefixes = phrases.map((phrase) => `${phrase} *`);
  yield prefixes.join(' AND ');
  const similar = typed.map((word) => neighbours(statements, table, word));
  if (similar.every((found) => found.length === 0)) return;
  yield prefixes
    .map((prefix, at) => `(${[prefix, ...(similar[at] ?? []).map((word) => `"${word}"`)].join(' OR ')})`)
    .join(' AND ');
}

/** Words of the vocabulary within one typo, without those that begin like what was typed: they match anyway. */
function neighbours(statements: Statements, table: number, typed: string): readonly string[] {
  if (!allowsTypo(typed)) return [];
  const near = variants(typed);
  const text = `SELECT DISTINCT word FROM ${variantsTable(table)} WHERE variant IN (SELECT value FROM json_each(?))`;
  return statements
    .rows({ text, values: [JSON.stringify(near)] })
    .map((row) => String(row['word']))
    .filter((word) => !word.startsWith(typed) && isOneTypoApart(typed, word))
    .slice(0, TYPOS_FOLLOWED);
}
