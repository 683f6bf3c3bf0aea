/** How much longer a command waits for a long stream than for a short one, with nothing in memory. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { openSqliteEventStore } from '../src/adapters/sqlite/event-store.ts';
import { openSnapshots } from '../src/adapters/sqlite/snapshots.ts';
import { createSystemClock } from '../src/adapters/system-clock.ts';
import { createExecutor } from '../src/core/command-executor.ts';
import type { Executor } from '../src/core/executor.ts';
import { createSchemas } from '../src/core/schemas.ts';
import type { Aggregate, EventsOf } from '../src/domain/event.ts';
import { silent } from './silent.ts';
import { compared, type Row } from './table.ts';

const noteEvents = {
  NoteTaken: { schema: 1, data: z.object({ line: z.string(), place: z.number() }) },
} as const;
type NoteEvent = EventsOf<typeof noteEvents>;
interface Notes {
  readonly count: number;
  readonly last: string;
}
const notes: Aggregate<Notes, NoteEvent> = {
  name: 'notes',
  events: noteEvents,
  initial: { count: 0, last: '' },
  evolve: ({ count }, { data }) => ({ count: count + 1, last: data.line }),
  snapshotVersion: 1,
};

const rounds = 200;
const [long, short] = [10_000, 100];

export async function benchFold(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const store = await openSqliteEventStore({ path: join(folder, 'log.db') });
  const snapshots = await openSnapshots({ file: join(folder, 'snapshots.sqlite') });
  const schemas = createSchemas([noteEvents]);
  const clock = createSystemClock();
  const cold = (): Executor => createExecutor({ store, schemas, snapshots, clock, log: silent });
  try {
    await fill(cold(), 'long', long);
    await fill(cold(), 'short', short);
    const times: Record<string, number[]> = { long: [], short: [] };
    for (let round = 0; round < rounds; round += 1) {
      for (const [id, measured] of Object.entries(times)) {
        const executor = cold();
        const from = performance.now();
        await executor.load(notes, id);
        measured.push(performance.now() - from);
      }
    }
    const name = `folding ${long.toLocaleString('en')} events (reference: ${short})`;
    return [compared(name, 'ms', times['long'] ?? [], times['short'] ?? [], { atMost: 5 })];
  } finally {
    await snapshots.close();
    await store.close();
    await rm(folder, { recursive: true });
  }
}

/** In appends that leave the last snapshot as far behind as it may be. */
async function fill(executor: Executor, id: string, events: number): Promise<void> {
  for (let place = 0; place < events;) {
    const some = Math.min(place === 0 ? 1 : 100, events - place);
    const context = {
      commandId: randomUUID(),
      correlationId: 'bench',
      actor: { id: 'bench', face: 'bench' },
    };
    const first = place;
    const decide = (): NoteEvent[] =>
      Array.from({ length: some }, (_, index) => ({
        type: 'NoteTaken',
        data: { line: `the ${first + index}th line of these notes`, place: first + index },
      }));
    await executor.execute({ aggregate: notes, id, tenant: null, context, decide });
    place += some;
  }
}
