/** What words of the vocabulary a search means, and its expressions as FTS5 spells them. */
import { allowsTypo, isOneTypoApart } from '../../domain/words.ts';
import { tiersOf, type Alternatives, type Expression, type Tiers } from '../read-models/tiers.ts';
import { variants } from '../read-models/tokens.ts';
import { indexedPrefixes, variantsTable } from './read-models-schema.ts';
import type { Statements } from './read-models-statements.ts';

/** A word with more neighbours than this in the vocabulary is searched with the first of them. */
const TYPOS_FOLLOWED = 64;
/** A longer beginning of more words than this is left to FTS5, which reads all that has any of them before it answers. */
const CONTINUATIONS_FOLLOWED = 32;

/** @returns null when no document can match */
export function tiersIn(statements: Statements, table: number, typed: readonly string[]): Tiers | null {
  return tiersOf(
    typed,
    typed.map((word) => continuations(statements, table, word)),
    typed.map((word) => neighbours(statements, table, word)),
  );
}

/** `("astripe" OR "astrip" *) AND ("apay")` */
export function spelt(expression: Expression): string {
  return expression
    .map(({ code, words }) => words.map(({ word, open }) => `"${code}${word}"${open ? ' *' : ''}`))
    .map((tokens) => `(${tokens.join(' OR ')})`)
    .join(' AND ');
}

/** What begins like the word, itself included: a beginning that is indexed, else the words of the vocabulary. */
function continuations(statements: Statements, table: number, typed: string): Alternatives {
  const open = [{ word: typed, open: true }];
  if (Array.from(typed).length <= Math.max(...indexedPrefixes)) return open;
  const text = `
    SELECT word FROM ${variantsTable(table)}
    WHERE variant >= ? AND variant < ? AND variant = word LIMIT ${CONTINUATIONS_FOLLOWED + 1}`;
  const found = statements.rows({ text, values: [typed, `${typed}\u{10FFFF}`] });
  return found.length > CONTINUATIONS_FOLLOWED
    ? open
    : found.map((row) => ({ word: String(row['word']), open: false }));
}

/** Words of the vocabulary within one typo, without those that begin like what was typed: they match anyway. */
function neighbours(statements: Statements, table: number, typed: string): Alternatives {
  if (!allowsTypo(typed)) return [];
  const near = variants(typed);
  const text = `SELECT DISTINCT word FROM ${variantsTable(table)} WHERE variant IN (SELECT value FROM json_each(?))`;
  return statements
    .rows({ text, values: [JSON.stringify(near)] })
    .map((row) => String(row['word']))
    .filter((word) => !word.startsWith(typed) && isOneTypoApart(typed, word))
    .slice(0, TYPOS_FOLLOWED)
    .map((word) => ({ word, open: false }));
}
