/** What the demo prints: plain text, with a little colour where a terminal shows it and NO_COLOR does not forbid it. */
import { styleText } from 'node:util';
import { sizeOf } from '../client/text.ts';

export interface Teller {
  /** Columns that `say` has room for; infinite where no terminal is. */
  readonly width: number;
  heading(text: string): void;
  /** A step begins: they are counted. */
  step(title: string): void;
  /** A line to paste; it is never broken. */
  command(line: string): void;
  /** What came of it. */
  say(line: string): void;
  good(line: string): void;
  bad(line: string): void;
}

const margin = '   ';

/** @param stream decides whether there are colours, as `NO_COLOR` and `FORCE_COLOR` do */
export function createTeller(stream: NodeJS.WriteStream): Teller {
  const write = (text: string): void => void stream.write(`${text}\n`);
  const styled = (style: Parameters<typeof styleText>[0], text: string): string =>
    styleText(style, text, { stream });
  const heading = (text: string): void => write(`\n${styled('bold', text)}`);
  let steps = 0;
  return {
    heading,
    width: stream.isTTY ? sizeOf(stream).width - margin.length : Infinity,
    step(title) {
      steps += 1;
      heading(`${steps}. ${title}`);
    },
    command: (line) => write(`${margin}${styled('cyan', line)}`),
    say: (line) => write(`${margin}${line}`),
    good: (line) => write(`${margin}${styled('green', line)}`),
    bad: (line) => write(`${margin}${styled('red', line)}`),
  };
}
