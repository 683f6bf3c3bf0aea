/** Regular expressions that somebody else wrote, matched in linear time (RE2): none can hang who runs it. */
import { RE2JS } from 're2js';

/** The pattern is no regular expression, or one that cannot be matched in linear time. The message is for its author. */
export class PatternRefused extends Error {
  override readonly name = 'PatternRefused';
}

export interface Pattern {
  readonly test: (text: string) => boolean;
}

/**
 * @param source ECMA-262 with the flag `u`, as JSON Schema has it; without look-around and back-references, which RE2 does not know.
 * `\s` is ASCII white space, and `.` matches U+2028 and U+2029 as well.
 * @throws {PatternRefused}
 */
export function linearPattern(source: string): Pattern {
  const shown = source.length > 100 ? `${source.slice(0, 100)}…` : source;
  try {
    // Compiled only: what both would read, and read differently, is refused by one of them.
    new RegExp(source, 'u');
  } catch {
    throw new PatternRefused(`${shown} is not a regular expression of ECMA-262 in Unicode mode`);
  }
  try {
    const compiled = RE2JS.compile(RE2JS.translateRegExp(source));
    return { test: (text) => compiled.matcher(text).find() };
  } catch {
    throw new PatternRefused(
      `${shown} cannot be matched in linear time: do without look-around, back-references, named scripts and repetitions beyond 1,000`,
    );
  }
}
