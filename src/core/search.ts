/** Searches as people type them, and what is said of what they find. */
import { words, type Likeness } from '../domain/words.ts';
import type { TextMatch } from '../ports/read-models.ts';

const MOST_WORDS = 8;

/** The words of what a person typed, for `ReadModels.search`: the first eight different ones. */
export function searchWords(query: string): readonly string[] {
  return [...new Set(words(query))].slice(0, MOST_WORDS);
}

/** No place but the title is worth more than another place's worst; the same of a likeness within a place. */
const WORTH: Readonly<Record<TextMatch['place'], Readonly<Record<Likeness, number>>>> = {
  title: { exact: 1, prefix: 0.8, typo: 0.6 },
  partly: { exact: 0.5, prefix: 0.45, typo: 0.4 },
  elsewhere: { exact: 0.3, prefix: 0.25, typo: 0.2 },
};
/** The part of a title's score that tells apart those which say nothing else from those which also say something else. */
const FOCUS = 0.1;

/**
 * How well something matches what was asked for, 0..1, rounded to four decimals; 1 is a title that says exactly that. Never
 * more than the score of what the read models hold for a better match.
 * @param asked how many words
 */
export function relevance(match: TextMatch, asked: number): number {
  const focus = match.place === 'title' ? Math.min(1, asked / match.length) : 1;
  return Math.round(WORTH[match.place][match.likeness] * (1 - FOCUS + FOCUS * focus) * 10_000) / 10_000;
}
