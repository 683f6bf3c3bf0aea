/**
 * What one `subscribe` asked for. It hears the feed as long as its socket takes what it is sent; else, and when it begins in the past,
 * it reads the history as fast as the socket does, until it stands where the feed stands. So no backlog is kept in memory.
 */
import type { EventStore, Position } from '../../ports/event-store.ts';
import type { Announcement, Channel } from '../../projections/announcements/types.ts';
import { hasRead, readUpTo, type Cursor } from './cursor.ts';
import type { Feed } from './feed.ts';
import type { History, HistoryPage } from './history.ts';
import type { Entry, Frame } from './renderer.ts';

/** Where frames go. */
export interface Outlet {
  /** It holds as much as it may: nothing more should be sent before it is empty. */
  readonly full: boolean;
  send(text: Buffer): void;
  /** Resolves when nothing waits to be sent any more, or nothing ever will be. It is not full then, or readers would turn in circles. */
  emptied(): Promise<void>;
}

export interface Subscription {
  /** Those that it still has. */
  readonly channels: ReadonlySet<Channel>;
  drop(channel: Channel): void;
}

export interface SubscriptionOptions {
  readonly feed: Feed;
  readonly history: History;
  readonly compare: EventStore['compare'];
  readonly outlet: Outlet;
  readonly channels: ReadonlySet<Channel>;
  readonly wants: (announcement: Announcement) => boolean;
  /** Null: from now on. */
  readonly since: Cursor | null;
  /** The past could not be read; the subscription has ended. */
  readonly failed: (error: unknown) => void;
}

export function subscribe(options: SubscriptionOptions): Subscription {
  const { feed, history, compare, outlet, wants } = options;
  const channels = new Set(options.channels);
  /** Live: the feed may tell again what was read up to here. Null once it cannot. */
  let read: Cursor | null = null;
  const listener = { wants, hear };

  function drop(channel: Channel): void {
    if (!channels.delete(channel)) return;
    feed.ignore(channel);
    feed.leave(channel, listener);
  }

  function goLive(at: Cursor): void {
    read = at;
    for (const channel of channels) feed.listen(channel, listener);
  }

  function hear(entry: Entry, frame: Frame, index: number): void {
    if (read !== null) {
      if (hasRead(read, entry.position, index, compare)) return;
      read = null;
    }
    if (!outlet.full) {
      outlet.send(frame.text);
      return;
    }
    for (const channel of channels) feed.leave(channel, listener);
    catchUp(cursorBefore(entry, index));
  }

  function catchUp(from: Cursor): void {
    readOn(from).catch((error: unknown) => {
      for (const channel of channels) drop(channel);
      options.failed(error);
    });
  }

  async function readOn(from: Cursor): Promise<void> {
    let at = from;
    while (channels.size > 0) {
      await outlet.emptied();
      const { entries, next } = told(at.after) ?? (await history.page(at.after, channels));
      const stopped = sendAll(entries, at);
      at = stopped ?? readUpTo(at, next, compare);
      // Between these two lines nothing else runs: the feed tells what is after its position, and all before it was read.
      if (stopped === null && compare(at.after, feed.position) >= 0) {
        goLive(at);
        return;
      }
    }
  }

  function told(after: Position): HistoryPage | null {
    const entries = feed.recent(after, channels);
    // The log may have been read further than the feed has come.
    return entries && { entries, next: compare(after, feed.position) > 0 ? after : feed.position };
  }

  /** @returns where it stopped, because the outlet is full; null: all was sent */
  function sendAll(entries: readonly Entry[], at: Cursor): Cursor | null {
    for (const entry of entries)
      for (const [index, { announcement, text }] of entry.frames.entries()) {
        if (hasRead(at, entry.position, index, compare)) continue;
        if (!channels.has(announcement.channel) || !wants(announcement)) continue;
        if (outlet.full) return cursorBefore(entry, index);
        outlet.send(text);
      }
    return null;
  }

  for (const channel of channels) feed.attend(channel);
  if (options.since) catchUp(options.since);
  else goLive({ after: feed.position, within: null });
  return { channels, drop };
}

/**
 * Where a reader stands who has read everything up to a frame of an entry, and not the frame. What came before the entry it has read,
 * also where the entry's prior, which is that of another reader of fewer channels, lies further back.
 */
function cursorBefore({ prior, position }: Entry, index: number): Cursor {
  return { after: prior, within: { event: position, frames: index } };
}
