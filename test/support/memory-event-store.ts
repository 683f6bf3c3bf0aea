/** A log in memory that keeps the whole contract but durability: for simulations of days in a second. */
import { randomUUID } from 'node:crypto';
import {
  checkAppend,
  checkLimit,
  checkRetention,
  matcher,
  placeOf,
  position,
} from '../../src/adapters/event-log/rules.ts';
import { follow, openGrowth, type Page } from '../../src/adapters/event-log/following.ts';
import { fits } from '../../src/ports/log-search.ts';
import type { Clock } from '../../src/ports/clock.ts';
import {
  StoreUnavailable,
  WrongExpectedRevision,
  type EventFilter,
  type EventStore,
  type JsonObject,
  type RecordedEvent,
  type Retention,
} from '../../src/ports/event-store.ts';

interface Entry {
  readonly event: RecordedEvent;
  readonly place: number;
  readonly created: number;
}

interface MemoryStream {
  readonly entries: Entry[];
  last: number;
  retention: Retention;
}

/** What survives a restart: give it to the next `openMemoryEventStore` to simulate one. */
export interface MemoryLog {
  readonly logId: string;
  readonly streams: Map<string, MemoryStream>;
  entries: Entry[];
  /** Everything, also what a scavenge has taken since. */
  readonly everything: RecordedEvent[];
  head: number;
}

export function emptyMemoryLog(logId: string = randomUUID()): MemoryLog {
  return { logId, streams: new Map(), entries: [], everything: [], head: 0 };
}

/** @param options.clock only `now` is asked, for retention by age */
export function openMemoryEventStore(
  options: { readonly clock?: Pick<Clock, 'now'>; readonly log?: MemoryLog } = {},
): EventStore {
  const { clock = { now: () => Date.now() }, log = emptyMemoryLog() } = options;
  const { logId, streams } = log;
  const growth = openGrowth();

  function refuseWhenClosed(): void {
    if (growth.closed) throw new StoreUnavailable('the event store is closed');
  }

  function stream(name: string): MemoryStream {
    let found = streams.get(name);
    if (!found) streams.set(name, (found = { entries: [], last: -1, retention: {} }));
    return found;
  }

  function kept({ entries, last, retention }: MemoryStream): readonly Entry[] {
    const { maxAgeSeconds = Infinity, maxCount = Infinity, truncateBefore = 0 } = retention;
    const oldest = clock.now() - maxAgeSeconds * 1000;
    const first = Math.max(truncateBefore, last - maxCount + 1);
    return entries.filter(({ event, created }) => event.revision >= first && created > oldest);
  }

  /** Positions are ascending, not dense, once a scavenge went over them. */
  function firstAfter(place: number): number {
    let [low, high] = [0, log.entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (log.entries[middle]!.place > place) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  function page(after: number, filter: EventFilter | undefined, limit: number): Page {
    const matches = matcher(filter);
    const events: RecordedEvent[] = [];
    for (let index = firstAfter(after); index < log.entries.length; index += 1) {
      const { event, place } = log.entries[index]!;
      if (matches(event.stream, event.type)) events.push(event);
      if (events.length === limit) return { events, next: place, end: place === log.head };
    }
    return { events, next: Math.max(after, log.head), end: true };
  }

  return {
    logId,

    async append(name, expected, events) {
      checkAppend(name, expected, events);
      refuseWhenClosed();
      const target = stream(name);
      const wanted = expected === 'none' ? -1 : expected;
      if (target.last !== wanted) {
        const there = target.entries.filter(({ event }) => event.revision > wanted).slice(0, events.length);
        const repeated =
          there.length === events.length &&
          there.every(({ event }, i) => event.id === events[i]?.id && event.revision === wanted + 1 + i);
        if (!repeated)
          throw new WrongExpectedRevision(name, expected, target.last < 0 ? 'none' : target.last);
        const { revision, position } = there.at(-1)!.event;
        return { revision, position };
      }
      const created = clock.now();
      for (const { id, type, data, metadata } of events) {
        target.last += 1;
        log.head += 1;
        const event = {
          id,
          type,
          // As a store does: what is read is what JSON makes of what was written, and nobody else's object.
          data: JSON.parse(JSON.stringify(data)) as JsonObject,
          metadata: JSON.parse(JSON.stringify(metadata)) as typeof metadata,
          stream: name,
          revision: target.last,
          position: position(logId, log.head),
        };
        const entry = { event, place: log.head, created };
        target.entries.push(entry);
        log.entries.push(entry);
        log.everything.push(event);
      }
      growth.announce();
      return { revision: target.last, position: position(logId, log.head) };
    },

    async readStream(name, { from, direction = 'forwards', limit }) {
      checkLimit(limit);
      refuseWhenClosed();
      const found = streams.get(name);
      if (!found) return [];
      const events = kept(found).map(({ event }) => event);
      if (direction === 'forwards')
        return events.filter(({ revision }) => revision >= (from ?? 0)).slice(0, limit);
      return events
        .filter(({ revision }) => revision <= (from ?? Infinity))
        .slice(-limit)
        .reverse();
    },

    async readAll({ after, filter, limit }) {
      checkLimit(limit);
      refuseWhenClosed();
      const read = page(placeOf(logId, after), filter, limit);
      return { ...read, next: position(logId, read.next) };
    },

    async search({ direction, from, where, limit }) {
      checkLimit(limit);
      refuseWhenClosed();
      const backwards = direction === 'backwards';
      const start = from === null ? (backwards ? log.head : 0) : placeOf(logId, from);
      const found = (backwards ? log.entries.toReversed() : log.entries).filter(
        ({ event, place }) => (backwards ? place <= start : place > start) && fits(where, event),
      );
      const page = found.slice(0, limit);
      const last = page.length < limit ? null : page.at(-1)!.place;
      const next = backwards ? (last ?? 1) - 1 : (last ?? Math.max(start, log.head));
      const end = backwards ? next === 0 : next >= log.head;
      return { events: page.map(({ event }) => event), next: position(logId, next), end };
    },

    async positionAt(at) {
      const before = log.entries.findLast(({ created }) => created <= at);
      return position(logId, before?.place ?? 0);
    },

    head: async () => position(logId, log.head),

    subscribe: (options) =>
      follow(
        {
          logId,
          growth,
          head: () => log.head,
          page: async (after, filter, limit) => page(after, filter, limit),
        },
        options,
      ),

    async setRetention(name, retention) {
      checkRetention(retention);
      refuseWhenClosed();
      stream(name).retention = { ...retention };
    },

    retention: async (name) => ({ ...streams.get(name)?.retention }),

    async scavenge() {
      refuseWhenClosed();
      const before = log.entries.length;
      const expired = new Set<Entry>();
      for (const target of streams.values()) {
        const stay = new Set(kept(target));
        if (stay.size === target.entries.length) continue;
        for (const entry of target.entries) if (!stay.has(entry)) expired.add(entry);
        target.entries.splice(0, target.entries.length, ...stay);
      }
      if (expired.size > 0) log.entries = log.entries.filter((entry) => !expired.has(entry));
      return { removed: before - log.entries.length };
    },

    compare: (a, b) => placeOf(logId, a) - placeOf(logId, b),

    close: async () => growth.close(),
  };
}
