/** The log's newest events in memory, so that many live subscribers do not read the same ones from the server each. */
import type { EventFilter, RecordedEvent } from '../../ports/event-store.ts';
import type { Page } from '../event-log/following.ts';
import { matcher } from '../event-log/rules.ts';

const mostEvents = 10_000;

export interface Tail {
  /** Where the log ends, as far as is known. */
  readonly end: number;
  /** Forgets everything; what is pushed next stands behind `place`. */
  restart(place: number): void;
  /** What the log has next; null: a record that is nobody's event. Places grow, and may leave gaps. */
  push(place: number, event: RecordedEvent | null): void;
  /** Like a read of the log; null when the page would begin before the tail does. */
  page(after: number, filter: EventFilter | undefined, limit: number): Page | null;
}

export function openTail(): Tail {
  let entries: { readonly place: number; readonly event: RecordedEvent }[] = [];
  /** All behind it is here; nothing is known before the first restart. */
  let before = Infinity;
  let end = 0;

  return {
    get end() {
      return end;
    },

    restart(place) {
      entries = [];
      before = place;
      end = Math.max(end, place);
    },

    push(place, event) {
      // What the log had already when the tail was started may be told once more.
      if (place <= end) return;
      end = place;
      if (event) entries.push({ place, event });
      // Cut now and then, not at every event.
      if (entries.length < 2 * mostEvents) return;
      before = entries[entries.length - mostEvents - 1]?.place ?? before;
      entries = entries.slice(-mostEvents);
    },

    page(after, filter, limit) {
      if (after < before) return null;
      const matches = matcher(filter);
      const events: RecordedEvent[] = [];
      for (let index = firstBehind(after); index < entries.length; index += 1) {
        const entry = entries[index];
        if (!entry || !matches(entry.event.stream, entry.event.type)) continue;
        events.push(entry.event);
        if (events.length === limit) return { events, next: entry.place, end: entry.place === end };
      }
      return { events, next: Math.max(after, end), end: true };
    },
  };

  function firstBehind(after: number): number {
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((entries[middle]?.place ?? 0) > after) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
