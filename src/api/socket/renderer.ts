/** Announcements as bytes, made once however many sockets send them. */
import { LRUCache } from 'lru-cache';
import type { Position, RecordedEvent } from '../../ports/event-store.ts';
import type { Log } from '../../ports/log.ts';
import type { Announcer } from '../../projections/announcements/announcer.ts';
import type { Announcement } from '../../projections/announcements/types.ts';
import { formatCursor } from './cursor.ts';
import { eventFrame } from './frames.ts';

export interface Frame {
  readonly announcement: Announcement;
  /** JSON in UTF-8, ready to be sent. */
  readonly text: Buffer;
}

/** What is told of one event. */
export interface Entry {
  readonly position: Position;
  /** A position before it: nothing between the two is told on its channel. */
  readonly prior: Position;
  readonly frames: readonly Frame[];
}

export interface Renderer {
  /** An event that cannot be told is told to nobody, and to the log. @throws {StoreUnavailable} */
  render(event: RecordedEvent, prior: Position): Promise<Entry>;
}

/** Many who come back after a restart read the same; nobody should read for long what has been forgotten. */
const kept = { maxSize: 8 * 1024 * 1024, ttl: 30_000 };
/** Bytes that an entry takes beside its frames. */
const overhead = 500;

export function createRenderer({
  announcer,
  log,
}: {
  readonly announcer: Announcer;
  readonly log: Log;
}): Renderer {
  const cache = new LRUCache<string, Entry>({
    ...kept,
    sizeCalculation: ({ frames }) => frames.reduce((sum, { text }) => sum + text.length, overhead),
  });
  const underWay = new Map<string, Promise<Entry>>();

  async function entryOf(event: RecordedEvent, prior: Position): Promise<Entry> {
    const { position } = event;
    const announcements = await announced(event);
    const last = announcements.length - 1;
    const frames = announcements.map((announcement, index) => {
      const cursor =
        index === last
          ? { after: position, within: null }
          : { after: prior, within: { event: position, frames: index + 1 } };
      return { announcement, text: Buffer.from(eventFrame(announcement, formatCursor(cursor))) };
    });
    return { position, prior, frames };
  }

  async function announced(event: RecordedEvent): Promise<readonly Announcement[]> {
    try {
      return await announcer.announce(event);
    } catch (error) {
      if (error instanceof Error && error.name === 'StoreUnavailable') throw error;
      const { id, type, stream } = event;
      log.error({ event: id, type, stream, err: error }, 'an event cannot be told on sockets');
      return [];
    }
  }

  async function made(event: RecordedEvent, prior: Position): Promise<Entry> {
    try {
      const entry = await entryOf(event, prior);
      cache.set(event.id, entry);
      return entry;
    } finally {
      underWay.delete(event.id);
    }
  }

  return {
    async render(event, prior) {
      const known = cache.get(event.id);
      if (known) return known;
      const making = underWay.get(event.id) ?? made(event, prior);
      underWay.set(event.id, making);
      return making;
    },
  };
}
