/** A log put back from a backup behind its read models ("Nothing is lost"): noticed, rebuilt, nothing skipped. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { openSqliteReadModels } from '../../src/adapters/sqlite/read-models.ts';
import { createProjector } from '../../src/core/projector.ts';
import type { Collection, Projection } from '../../src/core/projection.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import { createSystemClock } from '../../src/adapters/system-clock.ts';
import { event } from '../contract/event-store-given.ts';
import { counterEvents } from '../core/counter.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import { type SeededRandom, seededRandom } from '../support/seeded-random.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const runs = process.env['SLIPWAY_LONG'] ? 200 : 20;

interface Seen {
  readonly by: readonly number[];
}
const seen: Collection<Seen> = { name: 'seen', visibility: 'tenant', indexes: [], text: [] };
const projection: Projection = {
  ...{ name: 'seen', version: 1, collections: [seen] },
  on: {
    Counted: async ({ stream, data }, documents) => {
      const before = (await documents.get(seen, stream))?.by ?? [];
      documents.put(seen, stream, null, { by: [...before, Number(data['by'])] });
    },
  },
};

/** What was written, by stream: what the read model must show, neither more nor less. */
type Written = Map<string, number[]>;

describe('a log put back from a backup behind its read models', function () {
  this.timeout(runs * 5_000);

  /** Opens both, lets something happen, and waits until the read model is there. */
  async function live(
    folder: string,
    written: Written,
    happen: (append: (stream: string, by: number) => Promise<void>) => Promise<void>,
  ) {
    const store = await openSqliteEventStore({ path: join(folder, 'log.db') });
    const models = await openSqliteReadModels({ path: join(folder, 'read-models.db') });
    const log = createRecordingLog();
    const clock = createSystemClock();
    const schemas = createSchemas([counterEvents]);
    const projector = createProjector({ store, models, schemas, projections: [projection], clock, log });
    try {
      // As a server that starts: what happens, happens while it catches up.
      await projector.start();
      await happen(async (stream, by) => {
        const revisions = written.get(stream) ?? [];
        await store.append(stream, revisions.length === 0 ? 'none' : revisions.length - 1, [
          event({ type: 'Counted', data: { by } }),
        ]);
        written.set(stream, [...revisions, by]);
      });
      await projector.ready();
      expect(await projector.waitFor('all', await store.head(), 20_000)).to.equal(true);
      const shown = new Map<string, readonly number[]>();
      for (const stream of ['counter-a', 'counter-b', 'counter-c']) {
        const found = await models.get<Seen>('seen', stream, { kind: 'platform' });
        if (found) shown.set(stream, found.data.by);
      }
      expect(shown).to.deep.equal(written);
      return log.lines.some(({ message }) => message.includes('rebuilding'));
    } finally {
      await projector.stop();
      await models.close();
      await store.close();
    }
  }

  const some =
    (random: SeededRandom, least: number, numbers: { next: number }) =>
    async (append: (stream: string, by: number) => Promise<void>): Promise<void> => {
      const count = random.between(least, 12);
      for (let n = 0; n < count; n += 1)
        await append(random.pick(['counter-a', 'counter-b', 'counter-c']), (numbers.next += 1));
    };

  it(`is noticed and rebuilt, ${runs} times`, async () => {
    for (let seed = 1; seed <= runs; seed += 1) {
      const random = seededRandom(seed);
      const numbers = { next: 0 };
      const [folder, backup] = [await temporaryFolder(), await temporaryFolder()];
      try {
        const written: Written = new Map();
        await live(folder.path, written, some(random, 1, numbers));
        await cp(join(folder.path, 'log.db'), join(backup.path, 'log.db'));
        const then: Written = new Map(written);
        await live(folder.path, written, some(random, 1, numbers));
        await cp(join(backup.path, 'log.db'), join(folder.path, 'log.db'));
        // It may have grown on before anybody looks, also past where the read models are.
        const rebuilt = await live(folder.path, then, some(random, 0, numbers));
        expect(rebuilt, `seed ${seed}`).to.equal(true);
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      } finally {
        await folder.remove();
        await backup.remove();
      }
    }
  });
});
