/** What a search asks of the tokens: which words of the vocabulary are meant, and FTS5 expressions from strict to lenient. */
import { allowsTypo, isOneTypoApart } from '../../domain/words.ts';
import { matchLikenesses, type TextMatch } from '../../ports/read-models.ts';
import { indexedPrefixes, variantsTable } from './read-models-schema.ts';
import type { Statements } from './read-models-statements.ts';
import { ANYWHERE, TITLE, TITLES } from './read-models-tokens.ts';

/** A word with more neighbours than this in the vocabulary is searched with the first of them. */
const TYPOS_FOLLOWED = 64;
/** A longer beginning of more words than this is left to FTS5, which reads all that has any of them before it answers. */
const CONTINUATIONS_FOLLOWED = 32;

/** Two words within one typo share one of these: each word itself, or what is left of it without one of its letters. */
export function variants(word: string): readonly string[] {
  const shorter = Array.from({ length: word.length }, (_, at) => word.slice(0, at) + word.slice(at + 1));
  return [...new Set([word, ...shorter])];
}

/** What may stand for a word that was typed, as FTS5 spells it behind a token's first letter: `stripe"`, `strip" *`. */
type Alternatives = readonly string[];

/** Documents that have an expression, and no earlier one, all match in the same way. */
export interface Tier {
  readonly match: TextMatch;
  readonly expression: string;
}

/** Tiers that lie within one expression: where that finds nothing new, none of them does. */
export interface Tiers {
  readonly within: string;
  /** The best first. */
  readonly tiers: readonly (Tier | Tiers)[];
}

/** @returns null when no document can match */
export function tiersOf(statements: Statements, table: number, typed: readonly string[]): Tiers | null {
  const continued = typed.map((word) => continuations(statements, table, word));
  const similar = typed.map((word) => neighbours(statements, table, word));
  const loosest = typed.map((_, at) => [...(continued[at] ?? []), ...(similar[at] ?? [])]);
  if (loosest.some((alternatives) => alternatives.length === 0)) return null;
  const byLikeness = { exact: typed.map((word) => [`${word}"`]), prefix: continued, typo: loosest };
  const levels = matchLikenesses
    .map((likeness) => ({ likeness, asked: byLikeness[likeness] }))
    .filter(({ asked }) => asked.every((alternatives) => alternatives.length > 0))
    // Where no other word is like one of these, typos would find what beginnings have found.
    .filter(({ likeness }) => likeness !== 'typo' || similar.some((words) => words.length > 0));
  const inTitle = levels.map(({ likeness, asked }): Tiers => ({
    within: allOf(TITLE, asked),
    tiers: TITLES.map((code, at) => ({
      match: { place: 'title', likeness, length: at + 1 },
      expression: allOf(code, asked),
    })),
  }));
  const partly = levels.map(({ likeness, asked }): Tier => ({
    match: { place: 'partly', likeness },
    expression: `${allOf(ANYWHERE, asked)} AND ${oneOf(TITLE, asked.flat())}`,
  }));
  const elsewhere = levels.map(({ likeness, asked }): Tier => ({
    match: { place: 'elsewhere', likeness },
    expression: allOf(ANYWHERE, asked),
  }));
  // Of one word, some are all.
  const inPart = typed.length === 1 ? [] : [{ within: partly.at(-1)?.expression ?? '', tiers: partly }];
  return {
    within: allOf(ANYWHERE, loosest),
    tiers: [{ within: allOf(TITLE, loosest), tiers: inTitle }, ...inPart, ...elsewhere],
  };
}

function allOf(code: string, asked: readonly Alternatives[]): string {
  return asked.map((alternatives) => oneOf(code, alternatives)).join(' AND ');
}

function oneOf(code: string, alternatives: Alternatives): string {
  return `(${alternatives.map((alternative) => `"${code}${alternative}`).join(' OR ')})`;
}

/** What begins like the word, itself included: a beginning that is indexed, else the words of the vocabulary. */
function continuations(statements: Statements, table: number, typed: string): Alternatives {
  const open = [`${typed}" *`];
  if (Array.from(typed).length <= Math.max(...indexedPrefixes)) return open;
  const text = `
    SELECT word FROM ${variantsTable(table)}
    WHERE variant >= ? AND variant < ? AND variant = word LIMIT ${CONTINUATIONS_FOLLOWED + 1}`;
  const found = statements.rows({ text, values: [typed, `${typed}\u{10FFFF}`] });
  return found.length > CONTINUATIONS_FOLLOWED ? open : found.map((row) => `${String(row['word'])}"`);
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
    .map((word) => `${word}"`);
}
