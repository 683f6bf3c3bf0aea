/** A log whose events are told in so many frames, by an announcer that looks at nothing else: for tests of how sockets read it. */
import { randomUUID } from 'node:crypto';
import { startFeed, type Feed } from '../../../src/api/socket/feed.ts';
import { createHistory, type History } from '../../../src/api/socket/history.ts';
import { createRenderer } from '../../../src/api/socket/renderer.ts';
import { StoreUnavailable, type EventStore, type RecordedEvent } from '../../../src/ports/event-store.ts';
import type { Announcement, Channel } from '../../../src/projections/announcements/types.ts';
import { openMemoryEventStore } from '../../support/memory-event-store.ts';
import { createRecordingLog, type RecordingLog } from '../../support/recording-log.ts';
import { createVirtualClock, type VirtualClock } from '../../support/virtual-clock.ts';

/** An event of a channel, told by so many frames. */
export interface Fact {
  readonly channel: 'plugins' | 'deployments';
  readonly frames: number;
}
const eventTypes = { plugins: 'PluginRegistered', deployments: 'DeploymentRequested' } as const;

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function announced(event: RecordedEvent): readonly Announcement[] {
  const channel: Channel = event.type === eventTypes.plugins ? 'plugins' : 'deployments';
  return Array.from({ length: Number(event.data['frames']) }, (_, index) => ({
    ...{ id: `${event.id}/${index}`, eventId: event.id, channel, position: event.position },
    ...{ type: channel === 'plugins' ? 'plugin:edited' : 'deployment:status' },
    ...{ tenant: null, visibility: 'public', timestamp: event.metadata.at, data: {} },
  }));
}

export interface World {
  readonly clock: VirtualClock;
  readonly log: RecordingLog;
  readonly store: EventStore;
  readonly feed: Feed;
  readonly history: History;
  /** How often something was turned into announcements. */
  readonly made: () => number;
  append(facts: readonly Fact[]): Promise<void>;
  /** The next time that the feed, or a reader of the past, reads the log, it cannot. */
  breakNext(who: 'feed' | 'history'): void;
  stop(): Promise<void>;
}

/** @param lag the feed hears of everything so many turns late */
export async function openWorld(lag = 0, begin: readonly Fact[] = []): Promise<World> {
  const clock = createVirtualClock();
  const log = createRecordingLog();
  const store = openMemoryEventStore({ clock });
  await append(store, begin);
  let made = 0;
  const announcer = {
    announce: async (event: RecordedEvent) => {
      made += 1;
      return announced(event);
    },
  };
  const renderer = createRenderer({ announcer, log });
  const broken = { feed: false, history: false };
  function mayBreak(who: 'feed' | 'history'): void {
    if (!broken[who]) return;
    broken[who] = false;
    throw new StoreUnavailable('the disk is away');
  }
  const late: EventStore = {
    ...store,
    subscribe: async function* (options) {
      for await (const batch of store.subscribe(options)) {
        for (let passed = 0; passed < lag; passed += 1) await turn();
        mayBreak('feed');
        yield batch;
      }
    },
    readAll: async (question) => {
      mayBreak('history');
      return store.readAll(question);
    },
  };
  const others = { types: [], see: () => undefined };
  const feed = await startFeed({ store: late, renderer, clock, log, others });
  return {
    ...{ clock, log, store, feed },
    history: createHistory({ store: late, renderer }),
    made: () => made,
    append: (facts) => append(store, facts),
    breakNext: (who) => void (broken[who] = true),
    async stop() {
      await feed.stop();
      await store.close();
    },
  };
}

export async function append(store: EventStore, all: readonly Fact[]): Promise<void> {
  for (const { channel, frames } of all) {
    const metadata = {
      ...{ tenant: null, actor: { id: 'usr_1', face: 'test' }, correlationId: 'c', causationId: 'c' },
      ...{ at: '2030-01-01T00:00:00.000Z', schema: 1 },
    };
    const event = { id: randomUUID(), type: eventTypes[channel], data: { frames }, metadata };
    await store.append(`plugin-${event.id}`, 'none', [event]);
  }
}
