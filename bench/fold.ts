/** How much longer a command waits for a long stream than for a short one, with nothing in memory. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { openSnapshots } from '../src/adapters/sqlite/snapshots.ts';
import { createSystemClock } from '../src/adapters/system-clock.ts';
import { createExecutor } from '../src/core/command-executor.ts';
import type { Executor } from '../src/core/executor.ts';
import { createSchemas } from '../src/core/schemas.ts';
import type { Aggregate, EventsOf } from '../src/domain/event.ts';
import type { EventStore } from '../src/ports/event-store.ts';
import type { Log } from '../src/ports/log.ts';

/** `ours` and `reference` in `unit`; `target` is the least ratio that is good enough. */
export interface Row {
  readonly name: string;
  readonly ours: number;
  readonly reference: number | null;
  readonly ratio: number | null;
  readonly target: number | null;
  readonly unit: string;
}

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

/** @param openStore an empty store in a folder that is removed afterwards */
export async function benchFold(openStore: (folder: string) => Promise<EventStore>): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const store = await openStore(folder);
  const snapshots = await openSnapshots({ file: join(folder, 'snapshots.sqlite') });
  const schemas = createSchemas([noteEvents]);
  const silent: Log = {
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
    child: () => silent,
  };
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
    const perSecond = (id: string): number => 1_000 / median(times[id] ?? []);
    const [ours, reference] = [perSecond('long'), perSecond('short')];
    const name = `fold ${long.toLocaleString('en')} events (reference: ${short})`;
    return [{ name, ours, reference, ratio: ours / reference, target: 1 / 5, unit: 'folds/s' }];
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

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
