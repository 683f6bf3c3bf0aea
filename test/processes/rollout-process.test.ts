/** Which slots are asked again when more are overdue than are asked at once. */
import { expect } from 'chai';
import { createExecutor } from '../../src/core/command-executor.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import type { SlotKey } from '../../src/domain/ids.ts';
import { allEvents } from '../../src/events.ts';
import { rolloutProcess } from '../../src/processes/rollout-process.ts';
import { createWitness } from '../../src/processes/witness.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { shows } from '../support/rollout-rows.ts';

const names = (from: number, to: number): readonly SlotKey[] =>
  Array.from({ length: to - from }, (_, index) => `acme.production.p${from + index}` as SlotKey);

describe('slots that are due', () => {
  function setUp(
    due: readonly { readonly key: SlotKey; readonly dueAt: string }[],
    dueInMs: number | null = null,
  ) {
    const clock = createVirtualClock();
    const schemas = createSchemas(allEvents);
    const store = openMemoryEventStore({ clock });
    const executor = createExecutor({ store, schemas, snapshots: null, clock, log: createRecordingLog() });
    return {
      clock,
      process: rolloutProcess({
        end: async () => undefined,
        rollouts: { handle: async () => dueInMs },
        witness: createWitness({ executor, clock }),
        clock,
        questions: {
          occupied: async () => [],
          open: async () => [],
          dueClaims: async () => [],
          due: async ({ after }, limit) =>
            due.filter(({ dueAt }) => after === null || dueAt > after).slice(0, limit),
        },
      }),
    };
  }
  const at = (ms: number): string => new Date(Date.parse('2030-01-01T00:00:00.000Z') + ms).toISOString();

  it(shows('Time: due times only ask', 'are all asked in turns, however many stay overdue'), async () => {
    const keys = names(0, 1_000);
    // Some share their moment.
    const { process } = setUp(keys.map((key, index) => ({ key, dueAt: at(Math.floor(index / 3)) })));
    const asked = new Set<string>();
    for (let poll = 0; poll < 20; poll += 1) for (const key of await process.due(0, 256)) asked.add(key);
    expect(asked.size).to.equal(1_000);
  });

  it('begin with those that have waited longest, beside those of which events said so', async () => {
    const { clock, process } = setUp([{ key: 'acme.production.late' as SlotKey, dueAt: at(0) }], 1_000);
    for (const key of names(0, 40)) {
      await clock.advance(1);
      await process.handle(key, { event: null, correlationId: '', command: () => expect.fail('none') });
    }
    await clock.advance(5_000);
    const [first, ...rest] = await process.due(clock.now(), 20);
    expect(first).to.equal('acme.production.late');
    expect(rest).to.deep.equal(names(0, 19));
    // Who is asked again waits behind the others.
    await process.handle(names(0, 1)[0]!, {
      event: null,
      correlationId: '',
      command: () => expect.fail('none'),
    });
    await clock.advance(1_000);
    expect((await process.due(clock.now(), 20)).slice(1)).to.deep.equal(names(1, 20));
  });
});
