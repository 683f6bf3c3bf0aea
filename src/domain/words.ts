/** What a word of a text is and when two are alike: one definition for every store that searches texts. */

/** Longer words are cut: what nobody types is not worth an index. UTF-16 units. */
const LONGEST_WORD = 64;
/** Shorter words are too close to too many others. */
const SHORTEST_WORD_WITH_TYPO = 4;

/**
 * The words of a text in order: runs of letters and digits, lower-case, without diacritics (`Größe` is `große`).
 * Applied to its own answer it changes nothing.
 */
export function words(text: string): readonly string[] {
  const found = isAscii(text)
    ? text.toLowerCase().match(/[a-z0-9]+/g)
    : withoutMarks(text).match(/[\p{L}\p{N}\p{Mc}]+/gu);
  return (found ?? []).map((word) =>
    word.length > LONGEST_WORD ? word.slice(0, LONGEST_WORD).toWellFormed() : word,
  );
}

/** Most texts, and ten times faster. */
function isAscii(text: string): boolean {
  return !/[^\0-\x7f]/.test(text);
}

function withoutMarks(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{Mn}+/gu, '')
    .normalize('NFKC')
    .toLowerCase();
}

/**
 * How what was typed is like a word of a text: the word itself, how it begins, or, where that is allowed, one typo apart from it.
 */
export type Likeness = 'exact' | 'prefix' | 'typo';

export function allowsTypo(typed: string): boolean {
  return typed.length >= SHORTEST_WORD_WITH_TYPO;
}

/** At most one letter missing, added or replaced, or two neighbours swapped (Damerau and Levenshtein's distance). */
export function isOneTypoApart(one: string, other: string): boolean {
  const [short, long] = one.length <= other.length ? [one, other] : [other, one];
  if (long.length - short.length > 1) return false;
  let same = 0;
  while (same < short.length && short[same] === long[same]) same++;
  if (short.length < long.length) return short.slice(same) === long.slice(same + 1);
  if (short.slice(same + 1) === long.slice(same + 1)) return true;
  return (
    short[same] === long[same + 1] &&
    short[same + 1] === long[same] &&
    short.slice(same + 2) === long.slice(same + 2)
  );
}
