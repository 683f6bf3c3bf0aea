/** What questions to the past cost: of one stream in a long log beside a short one, of the whole log beside one statement of SQLite. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteEventStore } from '../src/adapters/sqlite/event-store.ts';
import { createEntries } from '../src/audit/entries.ts';
import { readLog } from '../src/audit/log.ts';
import { stateAt } from '../src/audit/states.ts';
import { createSchemas } from '../src/core/schemas.ts';
import { tenantEvents } from '../src/domain/tenant.ts';
import type { EventStore, Position } from '../src/ports/event-store.ts';
import { edited, tenantCreated } from './plugin-events.ts';
import { compared, percentile, type Row } from './table.ts';
import { inTurns, timed } from './turns.ts';

const schemas = createSchemas([tenantEvents]);
const platform = { kind: 'platform' } as const;
const rounds = 5;
/** In a round. */
const asked = 100;
const scans = 5;
const shortLog = 1_000;
/** Of the stream that is asked for. */
const edits = 50;
const each = 1_000;

/** @param events of the long log */
export async function benchAudit(events = 100_000): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  try {
    const paths = { long: join(folder, 'long.db'), short: join(folder, 'short.db') };
    const long = await openSqliteEventStore({ path: paths.long });
    const short = await openSqliteEventStore({ path: paths.short });
    await fill(long, events);
    await fill(short, shortLog);
    const told = `${events.toLocaleString('en')} events (reference: ${shortLog.toLocaleString('en')})`;
    const rows = [
      await beside(`audit log of one stream, p99, in a log of ${told}`, page, long, short),
      await beside(`as-of of one aggregate, p99, in a log of ${told}`, asOf, long, short),
      await searched(long, paths.long, events),
    ];
    await long.close();
    await short.close();
    return rows;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The stream that is asked for lies in the middle. */
async function fill(store: EventStore, events: number): Promise<void> {
  const others = async (prefix: string): Promise<void> => {
    for (let done = 0; done < events / 2; done += each) {
      const some = Array.from({ length: each }, (_, index) => edited(`the ${done + index}th name`));
      await store.append(`tenant-${prefix}-${done}`, 'none', some);
    }
  };
  await others('before');
  await store.append('tenant-asked', 'none', [tenantCreated('asked', 'Asked')]);
  for (let edit = 0; edit < edits; edit += 1)
    await store.append('tenant-asked', edit, [edited(`the ${edit}th name`)]);
  await others('after');
}

async function beside(
  name: string,
  work: (store: EventStore) => Promise<unknown>,
  long: EventStore,
  short: EventStore,
): Promise<Row> {
  const p99 = async (store: EventStore): Promise<number> => {
    const times: number[] = [];
    for (let n = 0; n < asked; n += 1) times.push((await timed(() => work(store))).ms);
    return percentile(times, 0.99);
  };
  const { ours, reference } = await inTurns(
    { rounds, warmUps: 1 },
    () => p99(long),
    () => p99(short),
  );
  return compared(name, 'ms', ours, reference, { atMost: 1.5 });
}

/** Nothing of it in memory. */
function page(store: EventStore): Promise<unknown> {
  const entries = createEntries({ store, schemas });
  return readLog({ store, entries }, platform, {
    ...{ stream: 'tenant-asked', where: {}, order: 'newest', limit: 50 },
  });
}

async function asOf(store: EventStore): Promise<unknown> {
  return stateAt({ store, schemas }, platform, 'tenant-asked', await store.head());
}

async function searched(store: EventStore, path: string, events: number): Promise<Row> {
  const raw = new DatabaseSync(path, { readOnly: true });
  const select = raw.prepare(
    "SELECT position FROM events WHERE metadata ->> '$.correlationId' = ? ORDER BY position DESC",
  );
  const perSecond = async (work: () => Promise<unknown>): Promise<number> =>
    (events / (await timed(work)).ms) * 1_000;
  const { ours, reference } = await inTurns(
    { rounds: scans, warmUps: 1 },
    () =>
      perSecond(async () => {
        const question = { direction: 'backwards', where: { correlationId: 'none' }, limit: 50 } as const;
        let from: Position | null = null;
        for (let end = false; !end;) ({ next: from, end } = await store.search({ ...question, from }));
      }),
    () => perSecond(async () => select.all('none')),
  );
  raw.close();
  const name =
    'the whole log looked through for one correlation, others having their turn (reference: one statement)';
  return compared(name, 'events/s', ours, reference, { atLeast: 0.5 });
}
