/** A migration that is killed goes on where it was: nothing is lost, nothing is there twice, and the order is kept. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { migrate } from '../../../src/custody/migrate/migrate.ts';
import { embedded, openSource, openTarget } from '../../../src/custody/migrate/open.ts';
import { verifyFolder } from '../../../src/custody/verified-folder.ts';
import { Killed } from '../../support/mortal-ports.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';
import {
  blobsIn,
  eventsIn,
  fillFolder,
  masterKey,
  memoryStores,
  migrated,
  opened,
  told,
  verified,
} from './world.ts';

describe('a migration that is killed', function () {
  this.timeout(240_000);
  let place: Awaited<ReturnType<typeof temporaryFolder>>;
  let data: string;
  const clock = createVirtualClock();
  beforeEach(async () => {
    place = await temporaryFolder();
    data = join(place.path, 'data');
    await fillFolder(data, clock);
  });
  afterEach(() => place.remove());

  it('before any effect on other stores, again and again, ends with all of it', async () => {
    const stores = memoryStores(place.path, clock);
    const into = join(place.path, 'moved');
    const heads = join(data, 'seals.ndjson');
    /** @returns whether it lived to the end. A dead one does nothing more: what was on its way arrives. */
    async function run(fatal: number): Promise<boolean> {
      let effects = 0;
      const effect = (): void => {
        effects += 1;
        if (effects >= fatal) throw new Killed();
      };
      const kept = await opened(stores);
      const dying = (): typeof kept => ({
        ...kept,
        log: { ...stores.store, append: (...all) => (effect(), stores.store.append(...all)) },
        vault: kept.vault && {
          ...kept.vault,
          sealed: {
            ...kept.vault.sealed,
            clear: () => (effect(), kept.vault!.sealed.clear()),
            write: (items) => (effect(), kept.vault!.sealed.write(items)),
          },
        },
        blobs: kept.blobs && { ...kept.blobs, put: (...all) => (effect(), kept.blobs!.put(...all)) },
      });
      try {
        await migrate({
          ...{ data, heads, into, masterKey: async () => masterKey, nowMs: () => clock.now(), told: effect },
          signal: new AbortController().signal,
          openSource: () => openSource(data, embedded, heads),
          openTarget: (folder) => openTarget(folder, dying(), 8),
        });
        return true;
      } catch (error) {
        if (error instanceof Killed) return false;
        throw error;
      }
    }
    let deaths = 0;
    // Each run gets one effect further than the one before, so that every effect is once the one before which it dies.
    for (let fatal = 1; !(await run(fatal)); fatal += 1) {
      deaths += 1;
      expect(existsSync(into), `after ${fatal}`).to.equal(false);
    }
    expect(deaths).to.be.greaterThan(15);
    const whole = (await eventsIn(data)).filter(({ stream }) => stream !== 'health-short');
    expect(await told(stores.store)).to.deep.equal(whole);
    expect(await blobsIn(stores.blobs)).to.deep.equal(await blobsIn(join(data, 'blobs')));
    expect(await verified(into, stores.store, clock)).to.deep.include({ found: 0, unsealed: 0, expired: 10 });
  });

  it('with -9, on its way to another folder, ends with all of it', async () => {
    const child = join(import.meta.dirname, 'killed-child.ts');
    const whole = await eventsIn(data);
    // Within the vault, the blobs, the log (also in the middle of its transactions), at its seals and at its end.
    for (const [n, fatal] of [3, 9, 700, 1_214, 1_219].entries()) {
      const into = join(place.path, `moved-${n}`);
      const run = spawn(
        process.execPath,
        ['--disable-warning=ExperimentalWarning', child, data, into, `${fatal}`],
        {
          stdio: ['ignore', 'ignore', 'inherit'],
        },
      );
      const [, signal] = (await once(run, 'close')) as [number | null, string | null];
      expect(signal, `${fatal}`).to.equal('SIGKILL');
      expect(existsSync(into)).to.equal(false);
      expect(await migrated({ data, into }, clock)).to.deep.include({ resumed: true });
      expect(await eventsIn(into)).to.deep.equal(whole);
      expect(await blobsIn(join(into, 'blobs'))).to.deep.equal(await blobsIn(join(data, 'blobs')));
      expect(await verifyFolder(into, clock.now())).to.deep.include({ found: 0, unsealed: 0, expired: 3 });
    }
  });
});
