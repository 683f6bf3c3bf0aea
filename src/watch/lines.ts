/** A deployment as lines that are only ever added: for logs, and where no terminal is. */
import type { Clock } from '../ports/clock.ts';
import { entryLines } from './history.ts';
import { line } from './picture.ts';
import type { Seen } from './watch.ts';

/** @returns what is new of what was seen: what happened, then how it is */
export function createLines(clock: Pick<Clock, 'now'>, width = Infinity): (seen: Seen) => readonly string[] {
  let before = '';
  return (seen) => {
    const happened =
      'watched' in seen ? seen.news.flatMap((entry) => entryLines(entry, clock.now(), width)) : [];
    const now = 'watched' in seen ? line(seen.watched) : `not reached, asked again: ${seen.lost}`;
    const isNew = now !== before;
    before = now;
    return isNew ? [...happened, now] : happened;
  };
}
