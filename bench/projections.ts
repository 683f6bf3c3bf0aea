/** A read model built anew of its log, beside its documents put into the same table by SQLite alone; and how far it lags then. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteEventStore } from '../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModels } from '../src/adapters/sqlite/read-models.ts';
import type { EventStore } from '../src/ports/event-store.ts';
import { withBuilt } from './built.ts';
import { edited, tenantCreated } from './plugin-events.ts';
import { compared, median, type Row, row } from './table.ts';
import { inTurns, timed } from './turns.ts';

/** A transaction of the reference. */
const batch = 500;
const inFlight = 1_000;
const editsAtOnce = 1_000;
const lagRounds = 7;

/** @param tenants as many documents; at least as many as are edited afterwards, 1,000 */
export async function benchProjections(tenants = 20_000, rounds = 5): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const store = await openSqliteEventStore({ path: join(folder, 'log.db') });
  try {
    const names = Array.from({ length: tenants }, (_, number) => `tenant${number}`);
    for (let done = 0; done < tenants; done += inFlight)
      await Promise.all(
        names
          .slice(done, done + inFlight)
          .map((name) => store.append(`tenant-${name}`, 'none', [tenantCreated(name, name)])),
      );
    const model = (name: string | number) => join(folder, `models-${name}.db`);
    await withModel(store, model('first'), async () => undefined);
    const ready = documentsOf(model('first'));
    if (ready.rows.length !== tenants) throw new Error(`${ready.rows.length} of ${tenants} were built`);
    const perSecond = (ms: number): number => (tenants / ms) * 1_000;
    const { ours, reference } = await inTurns(
      { rounds, warmUps: 1 },
      (round) => withModel(store, model(round), async (_, builtMs) => perSecond(builtMs)),
      async (round) => perSecond((await timed(async () => upsertRaw(model(`raw-${round}`), ready))).ms),
    );
    const lags = await withModel(store, model('edited'), async (projector) => {
      const each: number[] = [];
      for (let round = 0; round < lagRounds; round += 1) {
        await edit(store, names.slice(0, editsAtOnce), round);
        each.push(
          (await timed(async () => projector.waitFor('all', await store.head(), 600_000))).ms / 1_000,
        );
      }
      return each;
    });
    const name = `a read model of ${tenants.toLocaleString('en')} documents built anew of its log (reference: the same documents, table and indexes by SQLite alone, ${batch} a transaction)`;
    const lag = `lag of it afterwards, from the last of ${editsAtOnce.toLocaleString('en')} edits until it stands at the log's end`;
    return [
      compared(name, 'documents/s', ours, reference, { atLeast: 0.3 }),
      row(`${lag}, median`, 's', median(lags), 1, { atMost: 1 }),
      row(`${lag}, worst`, 's', Math.max(...lags), 1, { atMost: 1 }),
    ];
  } finally {
    await store.close();
    await rm(folder, { recursive: true });
  }
}

/** In a file of its own. */
async function withModel<T>(
  store: EventStore,
  path: string,
  use: Parameters<typeof withBuilt<T>>[2],
): Promise<T> {
  return withBuilt(store, await openSqliteReadModels({ path }), use);
}

async function edit(store: EventStore, names: readonly string[], round: number): Promise<void> {
  await Promise.all(
    names.map((name) => store.append(`tenant-${name}`, round, [edited(`${name} of round ${round}`)])),
  );
}

interface Documents {
  /** The table's and its indexes' own statements. */
  readonly schema: readonly string[];
  readonly table: string;
  readonly rows: readonly { readonly id: string; readonly tenant: string; readonly data: string }[];
}

/** What the reference has to write: it gets its rows ready made, as turning events into documents is our cost. */
function documentsOf(path: string): Documents {
  const database = new DatabaseSync(path, { readOnly: true });
  const [{ name = '' } = {}] = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'documents%'")
    .all();
  const table = String(name);
  const schema = database
    .prepare('SELECT sql FROM sqlite_schema WHERE tbl_name = ? AND sql IS NOT NULL ORDER BY type DESC')
    .all(table)
    .map(({ sql }) => String(sql));
  const rows = database
    .prepare(`SELECT id, tenant, data FROM ${table} ORDER BY doc`)
    .all()
    .map(({ id, tenant, data }) => ({ id: String(id), tenant: String(tenant), data: String(data) }));
  database.close();
  return { schema, table, rows };
}

function upsertRaw(path: string, { schema, table, rows }: Documents): void {
  const database = new DatabaseSync(path);
  // As src/adapters/sqlite/read-models-file.ts has them.
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA cache_size = -65536;
    PRAGMA journal_size_limit = 67108864;
  `);
  for (const statement of schema) database.exec(statement);
  const upsert = database.prepare(
    `INSERT INTO ${table} (id, tenant, data) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, data = excluded.data`,
  );
  for (let done = 0; done < rows.length; done += batch) {
    database.exec('BEGIN IMMEDIATE');
    for (const { id, tenant, data } of rows.slice(done, done + batch)) upsert.run(id, tenant, data);
    database.exec('COMMIT');
  }
  database.close();
}
