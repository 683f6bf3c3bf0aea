/** What questions to the past cost: of one stream in a long log beside a short one, of the whole log beside SQLite alone. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteEventStore } from '../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModels } from '../src/adapters/sqlite/read-models.ts';
import { createSystemClock } from '../src/adapters/system-clock.ts';
import { createEntries } from '../src/audit/entries.ts';
import { readLog } from '../src/audit/log.ts';
import { stateAt } from '../src/audit/states.ts';
import { createProjector } from '../src/core/projector.ts';
import { createSchemas } from '../src/core/schemas.ts';
import { tenantEvents } from '../src/domain/tenant.ts';
import type { EventStore, Position } from '../src/ports/event-store.ts';
import type { Log } from '../src/ports/log.ts';
import { tenantsProjection } from '../src/projections/tenants.ts';
import { at, event } from './plugin-events.ts';
import { compared, type Row } from './table.ts';

const schemas = createSchemas([tenantEvents]);
const platform = { kind: 'platform' } as const;
const rounds = 30;
const scans = 5;
const shortLog = 1_000;
/** Of the stream that is asked for. */
const edits = 50;
const tenants = 20_000;
const each = 1_000;

/** @param events of the long log */
export async function benchAudit(events = 1_000_000): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  try {
    const paths = { long: join(folder, 'long.db'), short: join(folder, 'short.db') };
    const long = await openSqliteEventStore({ path: paths.long });
    const short = await openSqliteEventStore({ path: paths.short });
    await fill(long, events);
    await fill(short, shortLog);
    const told = `${events.toLocaleString('en')} events (reference: ${shortLog.toLocaleString('en')})`;
    const rows = [
      await beside(`audit log of one stream, in a log of ${told}`, page, long, short),
      await beside(`as-of of one aggregate, in a log of ${told}`, asOf, long, short),
      await scanned(long, paths.long, events),
      await searched(long, paths.long, events),
    ];
    await long.close();
    await short.close();
    return [...rows, await rebuilt(folder)];
  } finally {
    await rm(folder, { recursive: true });
  }
}

const created = (tenantId: string, name: string) =>
  event(
    'TenantCreated',
    {
      ...{ tenantId, name, description: null, namespace: tenantId, contactEmail: null },
      quotas: { maxPlugins: 10, maxCpu: 8, maxMemoryGB: 16, maxStorageGB: null },
      rateLimits: { maxRequestsPerMinute: 1_000, maxDeploymentsPerHour: 10 },
      ...{ allowedCategories: null, subscriptionTier: 'Standard', createdAt: at },
    },
    randomUUID(),
  );
const edited = (name: string) => event('TenantEdited', { name, at }, randomUUID());

/** The stream that is asked for lies in the middle. */
async function fill(store: EventStore, events: number): Promise<void> {
  const others = async (prefix: string): Promise<void> => {
    for (let done = 0; done < events / 2; done += each) {
      const some = Array.from({ length: each }, (_, index) => edited(`the ${done + index}th name`));
      await store.append(`tenant-${prefix}-${done}`, 'none', some);
    }
  };
  await others('before');
  await store.append('tenant-asked', 'none', [created('asked', 'Asked')]);
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
  const times = { long: [] as number[], short: [] as number[] };
  for (let round = -5; round < rounds; round += 1)
    for (const [store, measured] of [
      [long, times.long],
      [short, times.short],
    ] as const) {
      const ms = await timed(() => work(store));
      if (round >= 0) measured.push(ms);
    }
  return compared(name, 'ms', times.long, times.short, { atMost: 1.5 });
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

async function scanned(store: EventStore, path: string, events: number): Promise<Row> {
  const raw = new DatabaseSync(path, { readOnly: true });
  const select = raw.prepare('SELECT * FROM events WHERE position > ? ORDER BY position LIMIT 1000');
  const figures = { ours: [] as number[], reference: [] as number[] };
  for (let round = 0; round < scans; round += 1) {
    const ours = await timed(async () => {
      let after: Position | null = null;
      for (let end = false; !end;) ({ next: after, end } = await store.readAll({ after, limit: 1_000 }));
    });
    const reference = await timed(async () => {
      for (let place = 0, rows = select.all(place); rows.length > 0; rows = select.all(place))
        place = Number(rows.at(-1)?.['position']);
    });
    figures.ours.push(events / (ours / 1_000));
    figures.reference.push(events / (reference / 1_000));
  }
  raw.close();
  const name = 'the whole log read in pages of 1,000 (reference: the same rows by SQLite alone, as text)';
  return compared(name, 'events/s', figures.ours, figures.reference, { atLeast: 0.5 });
}

async function searched(store: EventStore, path: string, events: number): Promise<Row> {
  const raw = new DatabaseSync(path, { readOnly: true });
  const select = raw.prepare(
    "SELECT position FROM events WHERE metadata ->> '$.correlationId' = ? ORDER BY position DESC",
  );
  const figures = { ours: [] as number[], reference: [] as number[] };
  for (let round = 0; round < scans; round += 1) {
    const ours = await timed(async () => {
      const question = { direction: 'backwards', where: { correlationId: 'none' }, limit: 50 } as const;
      let from: Position | null = null;
      for (let end = false; !end;) ({ next: from, end } = await store.search({ ...question, from }));
    });
    const reference = await timed(async () => select.all('none'));
    figures.ours.push(events / (ours / 1_000));
    figures.reference.push(events / (reference / 1_000));
  }
  raw.close();
  const name =
    'the whole log looked through for one correlation, others having their turn (reference: one statement)';
  return compared(name, 'events/s', figures.ours, figures.reference, { atLeast: 0.5 });
}

/** A read model built of a log, beside its documents put into a table with the same indexes. */
async function rebuilt(folder: string): Promise<Row> {
  const store = await openSqliteEventStore({ path: join(folder, 'tenants.db') });
  const names = Array.from({ length: tenants }, (_, number) => `tenant${number}`);
  for (let done = 0; done < tenants; done += each)
    await Promise.all(
      names.slice(done, done + each).map((id) => store.append(`tenant-${id}`, 'none', [created(id, id)])),
    );
  const figures = { ours: [] as number[], reference: [] as number[] };
  for (let round = 0; round < scans; round += 1) {
    const models = await openSqliteReadModels({ path: join(folder, `models-${round}.db`) });
    const clock = createSystemClock();
    const projections = [tenantsProjection];
    const projector = createProjector({ store, models, schemas, clock, log: silent, projections });
    const ours = await timed(async () => {
      await projector.start();
      await projector.ready();
    });
    const reference = await timed(async () => upsertRaw(join(folder, `raw-${round}.db`), names));
    await projector.stop();
    await models.close();
    figures.ours.push(tenants / (ours / 1_000));
    figures.reference.push(tenants / (reference / 1_000));
  }
  await store.close();
  const name = `a read model of ${tenants.toLocaleString('en')} documents built of its log (reference: the same documents and indexes by SQLite alone, 500 a transaction)`;
  return compared(name, 'documents/s', figures.ours, figures.reference, { atLeast: 0.3 });
}

function upsertRaw(path: string, names: readonly string[]): void {
  const database = new DatabaseSync(path);
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  database.exec('CREATE TABLE documents (id TEXT PRIMARY KEY, tenant TEXT, data TEXT NOT NULL) STRICT');
  for (const [index, { fields }] of tenantsProjection.collections.flatMap(({ indexes }) => indexes).entries())
    database.exec(
      `CREATE INDEX i${index} ON documents (${fields.map((field) => `data ->> '$.${field}'`).join(', ')})`,
    );
  const upsert = database.prepare(
    'INSERT INTO documents VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET tenant = excluded.tenant, data = excluded.data',
  );
  for (let done = 0; done < names.length; done += 500) {
    database.exec('BEGIN');
    for (const id of names.slice(done, done + 500)) {
      const { data } = created(id, id);
      const document = { ...data, status: 'Active', updatedAt: at, revision: 0 };
      upsert.run(id, id, JSON.stringify(document));
    }
    database.exec('COMMIT');
  }
  database.close();
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

const silent: Log = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};
