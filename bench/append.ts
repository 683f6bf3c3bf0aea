/** How fast the embedded log appends and is read, beside raw SQLite in the same run. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteEventStore } from '../src/adapters/sqlite/event-store.ts';
import type { EventStore, NewEvent, Position } from '../src/ports/event-store.ts';
import { openRawLog, type RawLog, type RawRow } from './raw-sqlite.ts';
import { alone, compared, type Row } from './table.ts';

export interface Sample {
  readonly stream: string;
  readonly revision: number;
  readonly event: NewEvent;
}

export const inFlight = 64;
const many = 12_800;
const few = 1000;
const rounds = 7;
/** Not counted: in them both sides run code that is not compiled yet. */
const warmUps = 2;

/** Ours and the reference take turns on two files that grow alike; what is reported is the medians. */
export async function benchAppend(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const store = await openSqliteEventStore({ path: join(folder, 'ours.sqlite') });
  const raw = openRawLog(join(folder, 'raw.sqlite'));
  const rates = { inFlight: [0], transactions: [0], single: [0], singleRaw: [0], reading: [0] };
  try {
    for (let round = -warmUps; round < rounds; round += 1) {
      if (round === 0) for (const list of Object.values(rates)) list.length = 0;
      const [bulk, singles] = [samples(`bulk${round}`, many), samples(`single${round}`, few)];
      const [bulkRows, singleRows] = [rawRows(bulk), rawRows(singles)];
      const start = await store.head();
      const pairs = [
        [
          async () => rates.inFlight.push(await rate(many, () => appendInFlight(store, bulk))),
          async () => rates.transactions.push(await rate(many, () => insertInBatches(raw, bulkRows, 100))),
        ],
        [
          async () => rates.single.push(await rate(few, () => appendOneByOne(store, singles))),
          async () => rates.singleRaw.push(await rate(few, () => insertInBatches(raw, singleRows, 1))),
        ],
      ];
      // Whoever comes second may find a busier disk.
      for (const pair of pairs)
        for (const measure of round % 2 === 0 ? pair : pair.reverse()) await measure();
      rates.reading.push(await rate(many + few, () => readBehind(store, start)));
    }
  } finally {
    raw.close();
    await store.close();
    await rm(folder, { recursive: true });
  }
  return [
    compared(`durable appends, ${inFlight} in flight`, 'events/s', rates.inFlight, rates.transactions, {
      atLeast: 0.5,
    }),
    compared('durable appends, one at a time', 'events/s', rates.single, rates.singleRaw, { atLeast: 0.4 }),
    alone('events read from the log in pages of 1,000', 'events/s', rates.reading),
  ];
}

/** One event each, round robin over as many streams as are in flight, about 300 bytes of data. */
export function samples(prefix: string, count: number): Sample[] {
  return Array.from({ length: count }, (_, i) => ({
    stream: `deployment-${prefix}-${i % inFlight}`,
    revision: Math.floor(i / inFlight),
    event: {
      id: randomUUID(),
      type: 'CanaryStageReached',
      data: { deploymentId: `dep-${i}`, stage: i % 10, instances: 10, note: 'n'.repeat(230) },
      metadata: {
        tenant: 'acme-corp',
        actor: { id: 'process:rollouts', face: 'process' },
        correlationId: randomUUID(),
        causationId: randomUUID(),
        at: new Date().toISOString(),
        schema: 1,
      },
    },
  }));
}

/** The reference gets its rows ready made: turning events into JSON is our cost. */
function rawRows(all: readonly Sample[]): RawRow[] {
  return all.map(({ stream, revision, event: { id, type, data, metadata } }) => {
    return { stream, revision, id, type, data: JSON.stringify(data), metadata: JSON.stringify(metadata) };
  });
}

export async function appendInFlight(store: EventStore, all: readonly Sample[]): Promise<void> {
  const writer = async (first: number): Promise<void> => {
    for (let i = first; i < all.length; i += inFlight) await append(store, all[i]!);
  };
  await Promise.all(Array.from({ length: inFlight }, (_, i) => writer(i)));
}

async function appendOneByOne(store: EventStore, all: readonly Sample[]): Promise<void> {
  for (const sample of all) await append(store, sample);
}

function append(store: EventStore, { stream, revision, event }: Sample): Promise<unknown> {
  return store.append(stream, revision === 0 ? 'none' : revision - 1, [event]);
}

async function insertInBatches(raw: RawLog, all: readonly RawRow[], size: number): Promise<void> {
  for (let i = 0; i < all.length; i += size) raw.insert(all.slice(i, i + size));
}

async function readBehind(store: EventStore, start: Position): Promise<void> {
  for (let after = start, end = false; !end;)
    ({ next: after, end } = await store.readAll({ after, limit: 1000 }));
}

/** A second's worth. */
export async function rate(count: number, work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (count / (performance.now() - start)) * 1000;
}
