/** What was told before: the log behind the feed, in pages, for sockets that resume or were too slow. */
import { createGate } from '../../core/gate.ts';
import type { EventStore, Position } from '../../ports/event-store.ts';
import { announcedEvents } from '../../projections/announcements/announcer.ts';
import type { Channel } from '../../projections/announcements/types.ts';
import type { Entry, Renderer } from './renderer.ts';

export interface HistoryPage {
  readonly entries: readonly Entry[];
  /** Read on after this. */
  readonly next: Position;
}

export interface History {
  /** @param channels events of others are left out @throws {ForeignPosition} */
  page(after: Position, channels: ReadonlySet<Channel>): Promise<HistoryPage>;
}

const pageSize = 50;
/** Thousands may come back at once: their reading must not hold up everybody else's. */
const limits = { atOnce: 4, waiting: 100_000 };

export function createHistory({
  store,
  renderer,
}: {
  readonly store: Pick<EventStore, 'readAll'>;
  readonly renderer: Renderer;
}): History {
  const gate = createGate(limits);
  return {
    page: (after, channels) =>
      gate(async () => {
        const types = [...announcedEvents].flatMap(([type, channel]) =>
          channels.has(channel) ? [type] : [],
        );
        const { events, next } = await store.readAll({ after, filter: { types }, limit: pageSize });
        const entries: Entry[] = [];
        let prior = after;
        for (const event of events) {
          entries.push(await renderer.render(event, prior));
          prior = event.position;
        }
        return { entries, next };
      }),
  };
}
