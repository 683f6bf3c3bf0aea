/** What the adapter of EventStoreDB costs, beside the bare client against the same server in the same run. */
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { randomUUID } from 'node:crypto';
import { openEventStoreDb } from '../src/adapters/eventstoredb/event-store.ts';
import type { EventStore, Position } from '../src/ports/event-store.ts';
import { appendInFlight, inFlight, rate, samples, type Sample } from './append.ts';
import { compared, type Row } from './table.ts';
import { inTurns } from './turns.ts';

const many = 6_400;
const rounds = { rounds: 7, warmUps: 2 };

/** Without a server there are no rows, and it is said why. */
export async function benchEventStoreDb(): Promise<Row[]> {
  const url = process.env['EVENTSTORE_URL'];
  if (!url) {
    console.error('NOT MEASURED: EVENTSTORE_URL names no server, so nothing is known of EventStoreDB');
    return [];
  }
  const store = await openEventStoreDb({ url });
  const bare = EventStoreDBClient.connectionString(url);
  const run = randomUUID();
  try {
    const appends = await inTurns(
      rounds,
      (round) => {
        const all = measured(`${run}-ours${round}`);
        return rate(many, () => appendInFlight(store, all));
      },
      (round) => {
        const all = measured(`${run}-bare${round}`);
        return rate(many, () => appendBare(bare, all));
      },
    );
    const end = await store.head();
    const start = await placeBefore(store, end, 2 * many);
    const reading = await inTurns(
      rounds,
      () => rate(2 * many, () => catchUp(store, start, 2 * many)),
      () => rate(2 * many, () => readBare(bare, start, 2 * many)),
    );
    return [
      compared(
        `appends to EventStoreDB, ${inFlight} in flight`,
        'events/s',
        appends.ours,
        appends.reference,
        { atLeast: 0.8 },
      ),
      compared('catching up with the log on EventStoreDB', 'events/s', reading.ours, reading.reference, {
        atLeast: 0.8,
      }),
    ];
  } finally {
    await store.close();
    await bare.dispose();
  }
}

/** Of no kind that a platform on the same server would look at. */
function measured(prefix: string): readonly Sample[] {
  return samples(prefix, many).map(({ stream, revision, event }) => ({
    ...{ stream: `bench-${stream}`, revision },
    event: { ...event, type: 'Measured' },
  }));
}

/** What was appended last is read: to both sides, the same events. */
async function placeBefore(store: EventStore, end: Position, events: number): Promise<Position> {
  let from = end;
  for (let left = events; left > 0;) {
    const page = await store.search({
      direction: 'backwards',
      from,
      where: {},
      limit: Math.min(left, 1_000),
    });
    left -= page.events.length;
    from = page.next;
  }
  return from;
}

/** As {@link appendInFlight} does, at the same expected revisions; its batch append is what the client does by itself. */
async function appendBare(client: EventStoreDBClient, all: readonly Sample[]): Promise<void> {
  const writer = async (first: number): Promise<void> => {
    for (let i = first; i < all.length; i += inFlight) {
      const { stream, revision, event } = all[i]!;
      const { id, type, data, metadata } = event;
      await client.appendToStream(
        stream,
        jsonEvent({ id, type, data: { ...data }, metadata: { ...metadata } }),
        { expectedRevision: revision === 0 ? 'no_stream' : BigInt(revision - 1) },
      );
    }
  };
  await Promise.all(Array.from({ length: inFlight }, (_, i) => writer(i)));
}

async function catchUp(store: EventStore, after: Position, events: number): Promise<void> {
  let left = events;
  for await (const batch of store.subscribe({ after, batchSize: 1_000 })) {
    left -= batch.events.length;
    if (left <= 0) return;
  }
}

/** One long read, which the adapter may not do: its callers come page by page. */
async function readBare(client: EventStoreDBClient, after: Position, events: number): Promise<void> {
  const place = BigInt(after.slice(after.lastIndexOf(':') + 1));
  let left = events;
  const fromPosition = { commit: place, prepare: place };
  for await (const { event } of client.readAll({ fromPosition, maxCount: events })) if (event) left -= 1;
  if (left > 0) throw new Error(`${left} events less than were asked for`);
}
