/** Text for a terminal: nothing in it moves the cursor, and its width is counted in columns. */

/** What others wrote, in one line: control characters and what turns the direction of writing around would draw over the screen. */
export function plain(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').replaceAll(/\p{Cf}/gu, '');
}

const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60]/u;
const joining = /\p{M}/u;

function columnsOf(character: string): number {
  if (joining.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** Of a terminal; some that are opened by programs say that they have no size at all. */
export function sizeOf(screen: { readonly columns: number; readonly rows: number }): {
  readonly width: number;
  readonly rows: number;
} {
  return { width: screen.columns || 80, rows: screen.rows || 24 };
}

/** How many columns it takes. */
export function columns(text: string): number {
  return Array.from(text).reduce((sum, character) => sum + columnsOf(character), 0);
}

/** At most so many columns; what is left out leaves an ellipsis. */
export function cut(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let kept = '';
  let taken = 0;
  for (const character of text) {
    taken += columnsOf(character);
    if (taken > width - 1) break;
    kept += character;
  }
  return width < 1 ? '' : `${kept}…`;
}

/** Lines of whole words, each at most so many columns where no word is longer. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(/\s+/)) {
    const longer = current === '' ? word : `${current} ${word}`;
    if (current !== '' && columns(longer) > width) {
      lines.push(current);
      current = word;
    } else current = longer;
  }
  return current === '' ? lines : [...lines, current];
}

/** The same beside a sign: `- one line`, and the others below it. */
export function hanging(sign: string, text: string, width: number): readonly string[] {
  const indent = ' '.repeat(columns(sign));
  return wrapped(text, width - columns(sign)).map((line, at) => `${at === 0 ? sign : indent}${line}`);
}
