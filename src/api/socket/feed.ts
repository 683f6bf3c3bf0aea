/** One subscription to the log for all sockets: what happens is told to those who listen, in the order of the log. */
import { backoff, sleep } from '../../core/waiting.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventStore, Position, RecordedEvent } from '../../ports/event-store.ts';
import type { Log } from '../../ports/log.ts';
import { announcedEvents } from '../../projections/announcements/announcer.ts';
import type { Announcement, Channel } from '../../projections/announcements/types.ts';
import { createRecent } from './recent.ts';
import type { Entry, Frame, Renderer } from './renderer.ts';

export interface Listener {
  wants(announcement: Announcement): boolean;
  /** Called while it listens; it may leave meanwhile. Must not throw. */
  hear(entry: Entry, frame: Frame, index: number): void;
}

export interface Feed {
  /** All that happened up to here has been told. */
  readonly position: Position;
  /** Nobody need be told of channels that nobody attends, be it live or behind. */
  attend(channel: Channel): void;
  ignore(channel: Channel): void;
  /** What was told last on channels that are attended; null when that does not reach back to the position. */
  recent(after: Position, channels: ReadonlySet<Channel>): readonly Entry[] | null;
  listen(channel: Channel, listener: Listener): void;
  leave(channel: Channel, listener: Listener): void;
  stop(): Promise<void>;
}

/** How long others may have to wait while many are told something. Milliseconds. */
const longestTurn = 10;

/**
 * Begins at the log's end.
 * @param options.others types of events, told or not, and who sees them in the order of the log, before anybody is told what comes after
 */
export async function startFeed(options: {
  readonly store: Pick<EventStore, 'head' | 'subscribe' | 'compare'>;
  readonly renderer: Renderer;
  readonly clock: Clock;
  readonly log: Log;
  readonly others: { readonly types: readonly string[]; readonly see: (event: RecordedEvent) => void };
}): Promise<Feed> {
  const { store, renderer, clock, log, others } = options;
  const filter = { types: [...announcedEvents.keys(), ...others.types] };
  const listeners = new Map<Channel, Set<Listener>>();
  const stopping = new AbortController();
  const { signal } = stopping;
  /** How many attend, and since when somebody does. */
  const attended = new Map<Channel, { readonly count: number; readonly since: Position }>();
  let position = await store.head();
  const compare: EventStore['compare'] = (a, b) => store.compare(a, b);
  const recent = createRecent(position, { compare, clock });

  async function follow(): Promise<void> {
    let turnBegan = performance.now();
    for await (const batch of store.subscribe({ after: position, filter, signal })) {
      for (const event of batch.events) {
        const channel = announcedEvents.get(event.type);
        if (channel !== undefined && attended.has(channel)) tell(await renderer.render(event, position));
        if (others.types.includes(event.type)) others.see(event);
        // At once, so that whoever joins now joins either before or after the event.
        position = event.position;
        if (performance.now() - turnBegan < longestTurn) continue;
        await new Promise((resolve) => setImmediate(resolve));
        turnBegan = performance.now();
      }
      position = batch.checkpoint;
    }
  }

  function tell(entry: Entry): void {
    if (entry.frames.length > 0) recent.add(entry);
    for (const [index, frame] of entry.frames.entries()) {
      const { announcement } = frame;
      for (const listener of listeners.get(announcement.channel) ?? [])
        if (listener.wants(announcement)) listener.hear(entry, frame, index);
    }
  }

  async function run(): Promise<void> {
    for (let failures = 1; !signal.aborted; failures += 1) {
      const begun = position;
      await follow().catch((error: unknown) => {
        log.error({ err: error }, 'sockets are told nothing for now; it is tried again');
      });
      if (position !== begun) failures = 1;
      await sleep(clock, backoff(Math.min(failures, 8), 100, 5_000), signal);
    }
  }

  const running = run();
  return {
    get position() {
      return position;
    },
    attend(channel) {
      const { count, since } = attended.get(channel) ?? { count: 0, since: position };
      attended.set(channel, { count: count + 1, since });
    },
    ignore(channel) {
      const { count, since } = attended.get(channel) ?? { count: 1, since: position };
      if (count > 1) attended.set(channel, { count: count - 1, since });
      else attended.delete(channel);
    },
    recent(after, channels) {
      const isWhole = [...channels].every((channel) => {
        const since = attended.get(channel)?.since;
        return since !== undefined && compare(since, after) <= 0;
      });
      return isWhole ? recent.after(after) : null;
    },
    listen(channel, listener) {
      const known = listeners.get(channel) ?? new Set();
      listeners.set(channel, known.add(listener));
    },
    leave: (channel, listener) => void listeners.get(channel)?.delete(listener),
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
