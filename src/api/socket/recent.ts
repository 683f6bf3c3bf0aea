/** What was told last, once for all who fall behind a little: most of them need not read the log again. */
import type { Clock } from '../../ports/clock.ts';
import type { EventStore, Position } from '../../ports/event-store.ts';
import type { Entry } from './renderer.ts';

export interface Recent {
  /** Entries come in the order of the log. */
  add(entry: Entry): void;
  /** All entries after the position that there were; null when some of them are not kept any more. */
  after(position: Position): readonly Entry[] | null;
}

const mostBytes = 16 * 1024 * 1024;
/** What has been forgotten meanwhile must not be told for long. */
const longestMs = 30_000;

/** @param start what came before it was never here */
export function createRecent(
  start: Position,
  { compare, clock }: { readonly compare: EventStore['compare']; readonly clock: Pick<Clock, 'monotonic'> },
): Recent {
  let kept: { readonly entry: Entry; readonly at: number; readonly size: number }[] = [];
  let bytes = 0;
  /** All entries after it are kept. */
  let from = start;

  function forget(now: number): void {
    let count = 0;
    for (const { entry, at, size } of kept) {
      if (bytes <= mostBytes && now - at < longestMs) break;
      count += 1;
      bytes -= size;
      from = entry.position;
    }
    if (count > 0) kept = kept.slice(count);
  }

  return {
    add(entry) {
      const at = clock.monotonic();
      const size = entry.frames.reduce((sum, { text }) => sum + text.length, 0);
      kept.push({ entry, at, size });
      bytes += size;
      forget(at);
    },
    after(position) {
      forget(clock.monotonic());
      if (compare(position, from) < 0) return null;
      // Who asks is mostly near the end.
      let first = kept.length;
      while (first > 0 && compare(kept[first - 1]?.entry.position ?? from, position) > 0) first -= 1;
      return kept.slice(first).map(({ entry }) => entry);
    },
  };
}
