/** A picture in a terminal that is drawn over time and again. What stood there before it stays above it. */
import type { Clock } from '../ports/clock.ts';
import { entryLines } from './history.ts';
import type { HistoryEntry } from './history.ts';
import { hasEnded, picture, type Watched } from './picture.ts';
import { columns, cut, sizeOf } from '../client/text.ts';
import type { Seen } from './watch.ts';

/** The part of a terminal that is drawn on. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  write(text: string): unknown;
}

interface Shown {
  readonly watched: Watched | null;
  readonly history: readonly HistoryEntry[];
  readonly lost: string | null;
}

/** @returns draws what was seen: while it goes on as much as fits, at the end everything */
export function createPainter(screen: Screen, clock: Pick<Clock, 'now'>): (seen: Seen) => void {
  let drawn: readonly string[] = [];
  let watched: Watched | null = null;
  let history: readonly HistoryEntry[] = [];

  return (seen) => {
    if ('watched' in seen) {
      watched = seen.watched;
      history = [...history, ...seen.news];
    }
    const lost = 'lost' in seen ? seen.lost : null;
    const size = sizeOf(screen);
    const lines = frame({ watched, history, lost }, clock.now(), size).map((line) => cut(line, size.width));
    // A window that became narrower has broken long lines into several rows.
    const rows = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(columns(line) / size.width)), 0);
    const back = rows > 0 ? `\x1b[${rows}A` : '';
    screen.write(`\r${back}${lines.map((line) => `\x1b[2K${line}\n`).join('')}\x1b[J`);
    drawn = lines;
  };
}

/** While it goes on, no higher than the screen: what has left it cannot be drawn over. The newest of the history stays. */
function frame(
  { watched, history, lost }: Shown,
  wallMs: number,
  { width, rows }: ReturnType<typeof sizeOf>,
): readonly string[] {
  const above = watched ? picture(watched, wallMs, width) : [];
  const below = lost === null ? [] : ['', `not reached, asked again: ${lost}`];
  const told = history.flatMap((entry) => entryLines(entry, wallMs, width));
  const title = told.length === 0 ? [] : ['', 'What happened, and why (UTC):'];
  if (watched && hasEnded(watched)) return [...above, ...title, ...told];
  // The cursor stands below the last line.
  const room = rows - 1 - above.length - title.length - below.length;
  const shown = told.length <= room ? told : ['    …', ...told.slice(Math.max(0, told.length - room + 1))];
  return [...above, ...(room < 2 ? [] : [...title, ...shown]), ...below].slice(0, Math.max(1, rows - 1));
}
