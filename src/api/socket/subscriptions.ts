/** All that one socket has subscribed to: a channel is in one subscription at most, the newest that names it. */
import type { EventStore } from '../../ports/event-store.ts';
import { channels, type Announcement, type Channel } from '../../projections/announcements/types.ts';
import { parseCursor, type Cursor } from './cursor.ts';
import type { Feed } from './feed.ts';
import type { History } from './history.ts';
import { subscribe, type Outlet, type Subscription } from './subscription.ts';

export interface Subscriptions {
  begin(asked: {
    readonly channels: readonly Channel[];
    readonly wants: (announcement: Announcement) => boolean;
    /** Null: from now on. */
    readonly since: Cursor | null;
  }): void;
  drop(channels: readonly Channel[]): void;
  dropAll(): void;
}

export function createSubscriptions(options: {
  readonly feed: Feed;
  readonly history: History;
  readonly compare: EventStore['compare'];
  readonly outlet: Outlet;
  /** The log could not be read: nothing more comes on these channels. */
  readonly failed: (error: unknown) => void;
}): Subscriptions {
  let all: readonly Subscription[] = [];

  function drop(named: readonly Channel[]): void {
    for (const subscription of all) for (const channel of named) subscription.drop(channel);
    all = all.filter((subscription) => subscription.channels.size > 0);
  }

  return {
    begin({ channels: named, ...asked }) {
      drop(named);
      if (named.length > 0) all = [...all, subscribe({ ...options, ...asked, channels: new Set(named) })];
    },
    drop,
    dropAll: () => drop(channels),
  };
}

/** Null when the position is none of the log, or of a time that this log has not seen. */
export async function cursorSince(
  text: string,
  { head, compare }: Pick<EventStore, 'head' | 'compare'>,
): Promise<Cursor | null> {
  const cursor = parseCursor(text);
  const end = await head();
  try {
    const known = [cursor.after, ...(cursor.within ? [cursor.within.event] : [])];
    return known.every((position) => compare(position, end) <= 0) ? cursor : null;
  } catch (error) {
    if (error instanceof Error && error.name === 'ForeignPosition') return null;
    throw error;
  }
}
