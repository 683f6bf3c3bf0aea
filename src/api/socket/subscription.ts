/**
 * What one `subscribe` asked for. It hears the feed as long as its socket takes what it is sent; else, and when it begins in the past,
 * it reads the history as fast as the socket does, until it stands where the feed stands. So no backlog is kept in memory.
 */
import type { EventStore, Position } from '../../ports/event-store.ts';
import type { Announcement, Channel } from '../../projections/announcements/types.ts';
import type { Cursor } from './cursor.ts';
import type { Feed } from './feed.ts';
import type { History, HistoryPage } from './history.ts';
import type { Entry, Frame } from './renderer.ts';

/** Where frames go. */
export interface Outlet {
  /** It holds as much as it may: nothing more should be sent before it is empty. */
  readonly full: boolean;
  send(text: Buffer): void;
  /** Resolves when nothing waits to be sent any more, or nothing ever will be. */
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
  let readUpTo: Position | null = null;
  const listener = { wants, hear };

  function drop(channel: Channel): void {
    if (!channels.delete(channel)) return;
    feed.ignore(channel);
    feed.leave(channel, listener);
  }

  function goLive(after: Position): void {
    readUpTo = after;
    for (const channel of channels) feed.listen(channel, listener);
  }

  function hear(entry: Entry, frame: Frame, index: number): void {
    if (readUpTo !== null) {
      if (compare(entry.position, readUpTo) <= 0) return;
      readUpTo = null;
    }
    if (!outlet.full) {
      outlet.send(frame.text);
      return;
    }
    for (const channel of channels) feed.leave(channel, listener);
    read(cursorBefore(entry, index));
  }

  function read(from: Cursor): void {
    readOn(from).catch((error: unknown) => {
      for (const channel of channels) drop(channel);
      options.failed(error);
    });
  }

  async function readOn(from: Cursor): Promise<void> {
    let at = from;
    while (channels.size > 0) {
      await outlet.emptied();
      const page = told(at.after) ?? (await history.page(at.after, channels));
      const { stopped, read } = sendAll(page.entries, at.read);
      at = stopped ?? { after: page.next, read: page.end ? null : read };
      // Between these two lines nothing else runs: the feed tells what is after its position, and all before it was read.
      if (stopped === null && at.read === null && compare(at.after, feed.position) >= 0) {
        goLive(at.after);
        return;
      }
    }
  }

  function told(after: Position): HistoryPage | null {
    const entries = feed.recent(after, channels);
    // The log may have been read further than the feed has come.
    const next = compare(after, feed.position) > 0 ? after : feed.position;
    return entries && { entries, next, end: true };
  }

  /** @returns where it stopped, because the outlet is full; null: all was sent. And what of `read` is still to come. */
  function sendAll(entries: readonly Entry[], read: Cursor['read']) {
    let skipped = read;
    for (const entry of entries) {
      for (const [index, { announcement, text }] of entry.frames.entries()) {
        const { channel } = announcement;
        if (skipped?.channel === channel && index < skipped.frames) continue;
        if (!channels.has(channel) || !wants(announcement)) continue;
        if (outlet.full) return { stopped: cursorBefore(entry, index), read: null };
        outlet.send(text);
      }
      if (entry.frames[0]?.announcement.channel === skipped?.channel) skipped = null;
    }
    return { stopped: null, read: skipped };
  }

  for (const channel of channels) feed.attend(channel);
  if (options.since) read(options.since);
  else goLive(feed.position);
  return { channels, drop };
}

/** Where a reader stands who has read everything up to a frame of an entry, and not the frame. */
function cursorBefore({ prior, frames }: Entry, index: number): Cursor {
  const frame = frames[index];
  return {
    after: prior,
    read: index === 0 || !frame ? null : { channel: frame.announcement.channel, frames: index },
  };
}
