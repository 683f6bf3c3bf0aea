/** A log whose file was torn or has flipped bits ("Nothing is lost"): it never opens as if nothing had been. */
import { cp, open, stat, truncate } from 'node:fs/promises';
import { expect } from 'chai';
import { UnreadableLog } from '../../../src/adapters/sqlite/event-store-schema.ts';
import { BrokenSeal } from '../../../src/core/seals/sealer.ts';
import type { Signer } from '../../../src/core/seals/head.ts';
import type { RecordedEvent } from '../../../src/ports/event-store.ts';
import { event, readToEnd } from '../../contract/event-store-given.ts';
import { type SeededRandom, seededRandom } from '../../support/seeded-random.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { filesIn, openSealing, testSigner } from './world.ts';

const runs = process.env['SLIPWAY_LONG'] ? 6_000 : 200;
const events = 150;

describe('a log whose file was damaged', function () {
  this.timeout(runs * 3_000);
  let removeFolder: () => Promise<void>;
  let pristine: string;
  let signer: Signer;
  let written: readonly RecordedEvent[];

  before(async () => {
    const folder = await temporaryFolder();
    removeFolder = () => folder.remove();
    pristine = folder.path;
    signer = await testSigner();
    const { store, sealer, close } = await openSealing(pristine, signer);
    for (let n = 0; n < events; n += 1) {
      const revision = Math.floor(n / 5);
      const data = { number: n, text: 'x'.repeat(n % 90) };
      await store.append(`thing-${n % 5}`, revision === 0 ? 'none' : revision - 1, [event({ data })]);
    }
    await sealer.seal();
    written = (await readToEnd(store)).events;
    await close();
  });
  after(() => removeFolder());

  async function damage(file: string, random: SeededRandom): Promise<string> {
    const { size } = await stat(file);
    if (random.chance(0.3)) {
      const to = random.between(0, size - 1);
      await truncate(file, to);
      return `cut to ${to} of ${size} bytes`;
    }
    const handle = await open(file, 'r+');
    try {
      const flips = random.between(1, 3);
      const places: number[] = [];
      for (let n = 0; n < flips; n += 1) {
        const place = random.between(0, size - 1);
        const byte = Buffer.alloc(1);
        await handle.read(byte, 0, 1, place);
        byte[0] = (byte[0] ?? 0) ^ (1 << random.between(0, 7));
        await handle.write(byte, 0, 1, place);
        places.push(place);
      }
      return `bits flipped at ${places.join(', ')}`;
    } finally {
      await handle.close();
    }
  }

  /** @returns why it did not open; null: it did, and everything in it is as it was, whichever way it is read */
  async function opened(folder: string): Promise<string | null> {
    let sealing: Awaited<ReturnType<typeof openSealing>>;
    try {
      sealing = await openSealing(folder, signer);
    } catch (error) {
      if (error instanceof UnreadableLog) return error.message;
      throw error;
    }
    try {
      await sealing.sealer.start();
      expect((await readToEnd(sealing.store)).events).to.deep.equal(written);
      for (let n = 0; n < 5; n += 1)
        expect(await sealing.store.readStream(`thing-${n}`, { limit: 1_000 })).to.deep.equal(
          written.filter(({ stream }) => stream === `thing-${n}`),
        );
      return null;
    } catch (error) {
      if (error instanceof BrokenSeal) return error.message;
      throw error;
    } finally {
      await sealing.close().catch(() => undefined);
    }
  }

  it(`does not open, and says how to repair it, or is whole: ${runs} times`, async () => {
    let refused = 0;
    for (let seed = 1; seed <= runs; seed += 1) {
      const copy = await temporaryFolder();
      try {
        await cp(pristine, copy.path, { recursive: true });
        const what = await damage(filesIn(copy.path).log, seededRandom(seed));
        const why = await opened(copy.path).catch((error: unknown) => {
          throw new Error(`seed ${seed}, ${what}`, { cause: error });
        });
        if (why === null) continue;
        refused += 1;
        expect(why, `seed ${seed}, ${what}`).to.match(/restor|restore/);
      } finally {
        await copy.remove();
      }
    }
    // Much of a file is free space, where a flipped bit means nothing.
    expect(refused).to.be.above(runs / 4);
  });
});
