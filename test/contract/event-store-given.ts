/** Words that the contract's tests are written in. */
import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type {
  EventFilter,
  EventStore,
  NewEvent,
  Position,
  RecordedEvent,
  SubscribeOptions,
  SubscriptionBatch,
} from '../../src/ports/event-store.ts';

export function event(part: Partial<NewEvent> = {}): NewEvent {
  return {
    id: randomUUID(),
    type: 'Happened',
    data: { number: 1 },
    metadata: {
      tenant: null,
      actor: { id: 'usr_test', face: 'test' },
      correlationId: 'correlation',
      causationId: 'cause',
      at: '2026-01-01T00:00:00.000Z',
      schema: 1,
    },
    ...part,
  };
}

export function events(count: number): NewEvent[] {
  return Array.from({ length: count }, (_, number) => event({ data: { number } }));
}

/** The error that it ends with. */
export async function failure<E extends Error>(
  action: Promise<unknown>,
  kind: new (...args: never[]) => E,
): Promise<E> {
  try {
    await action;
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
  return expect.fail(`expected it to fail with ${kind.name}`);
}

/** Every event that matches, and where the log ended. */
export async function readToEnd(
  store: Pick<EventStore, 'readAll'>,
  filter?: EventFilter,
): Promise<{ readonly events: readonly RecordedEvent[]; readonly next: Position }> {
  const read: RecordedEvent[] = [];
  for (let after: Position | null = null; ;) {
    const page = await store.readAll({ after, limit: 1000, ...(filter && { filter }) });
    read.push(...page.events);
    after = page.next;
    if (page.end) return { events: read, next: after };
  }
}

/** What a subscription yields until it has yielded `count` events. */
export async function followed(
  store: EventStore,
  options: SubscribeOptions,
  count: number,
): Promise<readonly SubscriptionBatch[]> {
  const batches: SubscriptionBatch[] = [];
  let left = count;
  for await (const batch of store.subscribe(options)) {
    batches.push(batch);
    left -= batch.events.length;
    if (left <= 0) break;
  }
  return batches;
}

/** Asks again, as often as the event loop turns, until it is so; mocha's time limit ends it otherwise. */
export async function until(so: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await so())) await setImmediate();
}
