/** How fast the whole log is read through the port, beside the same rows by SQLite alone in the same run. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openSqliteEventStore } from '../src/adapters/sqlite/event-store.ts';
import type { EventStore, NewEvent, Position } from '../src/ports/event-store.ts';
import { compared, type Row } from './table.ts';
import { inTurns, timed } from './turns.ts';

const page = 1_000;
/** Of an event's data as JSON. */
const bytes = 300;

/** @param events a multiple of the page */
export async function benchLog(events = 200_000, rounds = 7): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const path = join(folder, 'log.db');
  const store = await openSqliteEventStore({ path });
  try {
    for (let done = 0; done < events; done += page)
      await store.append(`deployment-${done}`, 'none', Array.from({ length: page }, sample));
    const perSecond = async (read: () => number | Promise<number>): Promise<number> => {
      const { ms, result } = await timed(async () => read());
      if (result !== events) throw new Error(`${result} of ${events} events were read`);
      return (events / ms) * 1_000;
    };
    const rows: Row[] = [];
    for (const [form, target] of [['objects', { atLeast: 0.5 }] as const, ['arrays', null] as const]) {
      const raw = new DatabaseSync(path, { readOnly: true });
      const { ours, reference } = await inTurns(
        { rounds, warmUps: 2 },
        () => perSecond(() => readThrough(store)),
        () => perSecond(() => scan(raw, form)),
      );
      raw.close();
      const name = `${events.toLocaleString('en')} events of ${bytes} bytes read in pages of ${page.toLocaleString('en')} (reference: the same rows by SQLite alone, as ${form} of text)`;
      rows.push(compared(name, 'events/s', ours, reference, target));
    }
    return rows;
  } finally {
    await store.close();
    await rm(folder, { recursive: true });
  }
}

function sample(_: unknown, number: number): NewEvent {
  const data = { deploymentId: randomUUID(), stage: number % 10, instances: 10, note: '' };
  const actor = { id: 'process:rollouts', face: 'process' };
  const ids = { correlationId: randomUUID(), causationId: randomUUID() };
  return {
    id: randomUUID(),
    type: 'CanaryStageReached',
    data: { ...data, note: 'n'.repeat(bytes - JSON.stringify(data).length) },
    metadata: { tenant: 'acme-corp', actor, ...ids, at: new Date().toISOString(), schema: 1 },
  };
}

/** @param form what node:sqlite makes of a row: objects, unless it is told otherwise @returns how many rows there were */
function scan(raw: DatabaseSync, form: 'objects' | 'arrays'): number {
  const select = raw.prepare(`SELECT * FROM events WHERE position > ? ORDER BY position LIMIT ${page}`);
  select.setReturnArrays(form === 'arrays');
  let read = 0;
  for (let rows = select.all(0); rows.length > 0;) {
    read += rows.length;
    // Also of an array: the position is the first column.
    rows = select.all(Number(Object.values(rows.at(-1) ?? {})[0]));
  }
  return read;
}

async function readThrough(store: EventStore): Promise<number> {
  let read = 0;
  let after: Position | null = null;
  for (;;) {
    const { events, next, end } = await store.readAll({ after, limit: page });
    read += events.length;
    if (end) return read;
    after = next;
  }
}
