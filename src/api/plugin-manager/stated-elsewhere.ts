/**
 * Slots for which something else may have been stated, read from the log: where another process leads the rollouts, its runtime tells
 * nobody here. What should run follows from the log at any time, so it is enough to know where to look.
 */
import { LRUCache } from 'lru-cache';
import type { Executor } from '../../core/executor.ts';
import { backoff, sleep } from '../../core/waiting.ts';
import { deployment } from '../../domain/deployment/deployment.ts';
import { deploymentEvents } from '../../domain/deployment/events.ts';
import { DeploymentId, slotKey, type SlotKey } from '../../domain/ids.ts';
import { slotEvents } from '../../domain/slot.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EventStore, RecordedEvent } from '../../ports/event-store.ts';
import type { Log } from '../../ports/log.ts';
import type { AgentRuntime } from '../../ports/runtime.ts';

export interface StatedElsewhere extends Pick<AgentRuntime, 'stated' | 'onChange'> {
  stop(): Promise<void>;
}

/** The read models know of a slot long before so many others have moved. */
const mostSlots = 10_000;
const mostDeployments = 10_000;

export async function followStated({
  store,
  executor,
  clock,
  log,
}: {
  readonly store: Pick<EventStore, 'head' | 'subscribe'>;
  readonly executor: Pick<Executor, 'load'>;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<StatedElsewhere> {
  const listeners = new Set<(slot: SlotKey) => void>();
  const slots = new LRUCache<SlotKey, true>({ max: mostSlots });
  const slotOf = new LRUCache<DeploymentId, SlotKey>({ max: mostDeployments });
  const stopping = new AbortController();
  const { signal } = stopping;
  const filter = { types: [...Object.keys(slotEvents), ...Object.keys(deploymentEvents)] };
  let position = await store.head();

  async function placeOf({ stream }: RecordedEvent): Promise<SlotKey | null> {
    // Only slots have such streams.
    if (stream.startsWith('slot-')) return stream.slice('slot-'.length) as SlotKey;
    const id = DeploymentId.parse(stream.slice('deployment-'.length));
    const known = slotOf.get(id);
    if (known) return known;
    const { state } = await executor.load(deployment, id);
    if (state.phase === 'None') return null;
    const found = slotKey(state.request);
    slotOf.set(id, found);
    return found;
  }

  async function follow(): Promise<void> {
    for await (const { events, checkpoint } of store.subscribe({ after: position, filter, signal })) {
      const moved = new Set<SlotKey>();
      for (const event of events) {
        const slot = await placeOf(event);
        if (slot) moved.add(slot);
      }
      for (const slot of moved) {
        slots.set(slot, true);
        for (const listener of [...listeners]) listener(slot);
      }
      position = checkpoint;
    }
  }

  async function run(): Promise<void> {
    for (let failures = 1; !signal.aborted; failures += 1) {
      const begun = position;
      await follow().catch((error: unknown) => {
        log.error({ err: error }, 'agents are told of no change for now; it is tried again');
      });
      if (position !== begun) failures = 1;
      await sleep(clock, backoff(Math.min(failures, 8), 100, 5_000), signal);
    }
  }

  const running = run();
  return {
    stated: () => [...slots.keys()],
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
