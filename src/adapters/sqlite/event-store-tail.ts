/** The log's newest events in memory, so that many live subscribers do not read the same rows again each. */
import type { EventFilter, RecordedEvent } from '../../ports/event-store.ts';
import { recordedEvent, type EventRow } from './event-store-rows.ts';
import { matcher } from '../event-log/rules.ts';
import type { Page } from '../event-log/following.ts';

const mostEvents = 10_000;
/** About bytes: most of what events say is ASCII. */
const mostCharacters = 8 * 1024 * 1024;

export interface Tail {
  /** The next event of the log; its id, type, data and metadata (JSON) are the four texts from `at` on. */
  push(place: number, stream: string, revision: number, texts: readonly string[], at: number): void;
  /** Forgets everything; what comes next stands behind `head`. */
  restart(head: number): void;
  /** Like a read of the log; null when the page would begin before the tail does. */
  page(after: number, filter: EventFilter | undefined, limit: number): Page | null;
}

export function openTail(logId: string, head: number): Tail {
  interface Entry {
    readonly row: EventRow;
    readonly size: number;
    /** Made for the first subscriber that wants it. */
    event?: RecordedEvent;
  }
  let entries: Entry[] = [];
  /** Entries before this index are dropped; the array is cut once they are the half of it, not at every event. */
  let start = 0;
  let size = 0;
  let end = head;

  function restart(at: number): void {
    entries = [];
    start = size = 0;
    end = at;
  }

  return {
    push(place, stream, revision, texts, at) {
      const [id = '', type = '', data = '', metadata = ''] = [
        texts[at],
        texts[at + 1],
        texts[at + 2],
        texts[at + 3],
      ];
      // A commit whose outcome was unknown may have left events that nobody was told of.
      if (place !== end + 1) restart(place - 1);
      const row = { place, stream, revision, id, type, data, metadata };
      const entry = { row, size: data.length + metadata.length };
      entries.push(entry);
      size += entry.size;
      end = place;
      while (entries.length - start > mostEvents || size > mostCharacters) {
        size -= entries[start]?.size ?? 0;
        start += 1;
      }
      if (start > entries.length / 2) {
        entries = entries.slice(start);
        start = 0;
      }
    },

    restart,

    page(after, filter, limit) {
      const before = end - (entries.length - start);
      if (after < before) return null;
      const matches = matcher(filter);
      const events: RecordedEvent[] = [];
      for (let index = start + after - before; index < entries.length; index += 1) {
        const entry = entries[index];
        if (!entry || !matches(entry.row.stream, entry.row.type)) continue;
        events.push((entry.event ??= recordedEvent(logId, entry.row)));
        if (events.length === limit) return { events, next: entry.row.place, end: entry.row.place === end };
      }
      return { events, next: Math.max(after, end), end: true };
    },
  };
}
