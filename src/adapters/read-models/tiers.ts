/** What a search asks of the tokens, from strict to lenient, and the order in which it is asked until a page is full. */
import { matchLikenesses, mostFound, type TextMatch } from '../../ports/read-models.ts';
import { ANYWHERE, TITLE, TITLES } from './tokens.ts';

/** What may stand for a word that was typed. `open`: and every word that begins like it. */
export interface Alternative {
  readonly word: string;
  readonly open: boolean;
}
export type Alternatives = readonly Alternative[];

/** One of these tokens. */
export interface Clause {
  readonly code: string;
  readonly words: Alternatives;
}
/** A document has it that has all of these. */
export type Expression = readonly Clause[];

/** Documents that have an expression, and no earlier one, all match in the same way. */
interface Tier {
  readonly match: TextMatch;
  readonly expression: Expression;
}

/** Tiers that lie within one expression: where that finds nothing new, none of them does. */
export interface Tiers {
  readonly within: Expression;
  /** The best first. */
  readonly tiers: readonly (Tier | Tiers)[];
}

/**
 * @param typed the words that were typed, at least one
 * @param continued for each, what begins like it, itself included
 * @param similar for each, words within a typo that do not begin like it
 * @returns null when no document can match
 */
export function tiersOf(
  typed: readonly string[],
  continued: readonly Alternatives[],
  similar: readonly Alternatives[],
): Tiers | null {
  const loosest = typed.map((_, at) => [...(continued[at] ?? []), ...(similar[at] ?? [])]);
  if (loosest.some((alternatives) => alternatives.length === 0)) return null;
  const exact = typed.map((word) => [{ word, open: false }]);
  const byLikeness = { exact, prefix: continued, typo: loosest };
  const levels = matchLikenesses
    .map((likeness) => ({ likeness, asked: byLikeness[likeness] }))
    .filter(({ asked }) => asked.every((alternatives) => alternatives.length > 0))
    // Where no other word is like one of these, typos would find what beginnings have found.
    .filter(({ likeness }) => likeness !== 'typo' || similar.some((words) => words.length > 0));
  const everything = allOf(ANYWHERE, loosest);
  const inTitle = levels.map(({ likeness, asked }): Tiers => ({
    within: allOf(TITLE, asked),
    tiers: TITLES.map((code, at) => ({
      match: { place: 'title', likeness, length: at + 1 },
      expression: allOf(code, asked),
    })),
  }));
  const partly = levels.map(({ likeness, asked }): Tier => ({
    match: { place: 'partly', likeness },
    expression: [...allOf(ANYWHERE, asked), { code: TITLE, words: asked.flat() }],
  }));
  const elsewhere = levels.map(({ likeness, asked }, at): Tier => ({
    match: { place: 'elsewhere', likeness },
    // The last level is the loosest.
    expression: at === levels.length - 1 ? everything : allOf(ANYWHERE, asked),
  }));
  // Of one word, some are all.
  const inPart = typed.length === 1 ? [] : [{ within: partly.at(-1)?.expression ?? [], tiers: partly }];
  return {
    within: everything,
    tiers: [{ within: allOf(TITLE, loosest), tiers: inTitle }, ...inPart, ...elsewhere],
  };
}

function allOf(code: string, asked: readonly Alternatives[]): Expression {
  return asked.map((words) => ({ code, words }));
}

/** Of which documents a store is asked: the first that have the expression, in an order that is always the same. */
export interface Asked {
  readonly expression: Expression;
  readonly most: number;
}

export interface Ranked<Doc> {
  readonly page: readonly (readonly [doc: Doc, match: TextMatch])[];
  /** How many match, up to {@link mostFound}. */
  readonly total: number;
}

/**
 * What matches at all is counted first, up to a thousand; then tiers of matches are asked for, the best first, until the page
 * is full. It yields what is to be asked and is given the answer: so that stores may answer at once or later.
 */
export function* rank<Doc>(
  tiers: Tiers,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): Generator<Asked, Ranked<Doc>, readonly Doc[]> {
  const everything = yield { expression: tiers.within, most: mostFound };
  const total = everything.length;
  const wanted = Math.min(offset + limit, total);
  const matches = new Map<Doc, TextMatch>();

  // Of so many documents, those that better tiers have found already leave as many as are missing.
  function* fresh(expression: Expression, missing: number): Generator<Asked, readonly Doc[], readonly Doc[]> {
    const found = yield { expression, most: Math.min(wanted, matches.size + missing) };
    return found.filter((doc) => !matches.has(doc));
  }

  function* look(tier: Tier | Tiers): Generator<Asked, void, readonly Doc[]> {
    if (matches.size >= wanted) return;
    if ('match' in tier) {
      const found = tier.expression === tiers.within ? everything : yield* fresh(tier.expression, wanted);
      for (const doc of found) if (!matches.has(doc)) matches.set(doc, tier.match);
    } else if ((yield* fresh(tier.within, 1)).length > 0) for (const inner of tier.tiers) yield* look(inner);
  }

  for (const tier of tiers.tiers) yield* look(tier);
  return { page: [...matches].slice(offset, Math.min(offset + limit, mostFound)), total };
}
