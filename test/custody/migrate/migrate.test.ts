/** A platform that moves: to stores that are asked through the port, back, and to another folder. */
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { openFolderBlobs } from '../../../src/adapters/filesystem/blobs.ts';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { lockFolder, StoreLocked } from '../../../src/adapters/sqlite/folder-lock.ts';
import { openLogImport } from '../../../src/adapters/sqlite/log-import.ts';
import { openLogReader } from '../../../src/adapters/sqlite/log-reader.ts';
import { openSqliteSealLeaves } from '../../../src/adapters/sqlite/seal-leaves.ts';
import { openSqliteVault } from '../../../src/adapters/sqlite/vault.ts';
import { WrongMasterKey } from '../../../src/adapters/vault/keys.ts';
import { Refused } from '../../../src/client/api.ts';
import { objectionTo, proveInclusion } from '../../../src/core/seals/proof.ts';
import type { Migrated, MigrateOptions } from '../../../src/custody/migrate/migrate.ts';
import { StoreUnavailable } from '../../../src/ports/event-store.ts';
import { verifyFolder } from '../../../src/custody/verified-folder.ts';
import { event, failure, readToEnd } from '../../contract/event-store-given.ts';
import { tamper } from '../../core/seals/world.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { createVirtualClock, type VirtualClock } from '../../support/virtual-clock.ts';
import {
  blobsIn,
  eventsIn,
  fillFolder,
  headsIn,
  masterKey,
  memoryStores,
  type MemoryStores,
  migrated,
  told,
  verified,
} from './world.ts';

describe('a migration', function () {
  this.timeout(120_000);
  let place: Awaited<ReturnType<typeof temporaryFolder>>;
  let clock: VirtualClock;
  let data: string;
  let into: string;
  let stores: MemoryStores;
  beforeEach(async () => {
    place = await temporaryFolder();
    clock = createVirtualClock();
    [data, into] = [join(place.path, 'data'), join(place.path, 'moved')];
    stores = memoryStores(place.path, clock);
    await fillFolder(data, clock);
  });
  afterEach(() => place.remove());

  const away = (options: Partial<Parameters<typeof migrated>[0]> = {}): Promise<Migrated> =>
    migrated({ data, into, to: stores, ...options }, clock);
  const inShort = ({ stream }: { readonly stream: string }): boolean => stream === 'health-short';
  async function secretIn(path: string): Promise<string | undefined> {
    const vault = await openSqliteVault({ path, masterKey, clock });
    try {
      const value = await vault.get({ kind: 'secret', name: 'acme/token' });
      return value?.toString();
    } finally {
      await vault.close();
    }
  }

  it('brings log, vault, blobs and seals to other stores, but for streams that retention has shortened', async () => {
    const before = await eventsIn(data);
    const { log, vault, blobs, seals, resumed } = await away();
    const arrived = await told(stores.store);
    expect(arrived).to.deep.equal(before.filter((one) => !inShort(one)));
    expect(log).to.deep.equal({
      ...{ events: arrived.length, before: 0 },
      left: [{ stream: 'health-short', through: 9, events: 7 }],
    });
    expect(seals).to.deep.equal({ leaves: before.length + 3, expired: 10 });
    expect([vault, blobs.blobs, resumed]).to.deep.equal([{ records: 3, personalKeys: 2 }, 9, false]);
    expect(await blobsIn(stores.blobs)).to.deep.equal(await blobsIn(join(data, 'blobs')));
    expect(await secretIn(stores.vault)).to.equal('hunter2');
    expect(await stores.store.retention('health-whole')).to.deep.equal({ maxAgeSeconds: 604_800 });
    // It begins anew, and must not be hidden up to where it was.
    expect(await stores.store.retention('health-short')).to.deep.equal({ maxAgeSeconds: 604_800 });
    expect((await readdir(into)).filter((name) => !/-(wal|shm)$/.test(name)).sort()).to.deep.equal([
      'lock.sqlite',
      'master.key',
      'migration.json',
      'moves.ndjson',
      'seals.db',
      'seals.ndjson',
    ]);
    expect((await stat(join(into, 'master.key'))).mode & 0o077).to.equal(0);
  });

  it('carries the seals over: the log verifies with the old heads, and what they sealed can be proven from them', async () => {
    const old = await headsIn(data);
    await away();
    const heads = await headsIn(into);
    expect(heads.slice(0, -1)).to.deep.equal(old);
    const now = await verified(into, stores.store, clock);
    expect(now).to.deep.include({ found: 0, unsealed: 0, expired: 10, keys: [old[0]?.key] });
    expect(now.lastHead?.log).to.equal(stores.store.logId);
    const leaves = openSqliteSealLeaves({ path: join(into, 'seals.db'), logId: stores.store.logId });
    const { events } = await readToEnd(stores.store);
    for (const head of old) {
      const proof = proveInclusion(leaves, head, events[0]!);
      expect(objectionTo(proof!, head.key)).to.equal(null);
    }
    leaves.close();
  });

  it('comes back: the same events with the same revisions, the same tree, both moves told', async () => {
    await away();
    await stores.store.append('tenant-acme', 8, [event({ data: { later: true } })]);
    await stores.store.append('health-short', 'none', [event()]);
    const again = join(place.path, 'again');
    const back = await migrated({ data: into, into: again, from: stores }, clock);
    expect(back.log.left).to.deep.equal([]);
    const here = await told(stores.store);
    expect(await eventsIn(again)).to.deep.equal(here);
    expect(here.at(-1)).to.include({ stream: 'health-short', revision: 0 });
    const now = await verifyFolder(again, clock.now());
    expect(now).to.deep.include({ found: 0, unsealed: 0, expired: 10, sealed: here.length + 10 });
    expect(await secretIn(join(again, 'vault.db'))).to.equal('hunter2');
    expect(await blobsIn(join(again, 'blobs'))).to.deep.equal(await blobsIn(stores.blobs));
    const store = await openSqliteEventStore({ path: join(again, 'log.db'), clock });
    expect(await store.retention('health-whole')).to.deep.equal({ maxAgeSeconds: 604_800 });
    expect((await store.append('tenant-acme', 9, [event()])).revision).to.equal(10);
    await store.close();
  });

  it('brings shortened streams along where a log can begin them anywhere: to another folder', async () => {
    const { log } = await migrated({ data, into }, clock);
    expect(log.left).to.deep.equal([]);
    expect(await eventsIn(into)).to.deep.equal(await eventsIn(data));
    expect(await verifyFolder(into, clock.now())).to.deep.include({ found: 0, expired: 3 });
    const store = await openSqliteEventStore({ path: join(into, 'log.db'), clock });
    expect(await store.retention('health-short')).to.deep.equal({
      maxAgeSeconds: 604_800,
      truncateBefore: 3,
    });
    await store.close();
  });

  it('changes nothing of what is moved', async () => {
    const files = async () =>
      Promise.all(
        (await readdir(data))
          .filter((name) => /[.](ndjson|key)$/.test(name))
          .map(async (name) => [name, await readFile(join(data, name), 'utf8')]),
      );
    const [before, events] = [await files(), await eventsIn(data)];
    await away();
    expect(await files()).to.deep.equal(before);
    expect(await eventsIn(data)).to.deep.equal(events);
    expect(await verifyFolder(data, clock.now())).to.deep.include({ found: 0 });
  });

  describe('refuses', () => {
    const refusal = async (options: Parameters<typeof away>[0] = {}): Promise<string> =>
      (await failure(away(options), Refused)).message;

    it('a target that holds something already: events, entries of a vault, blobs', async () => {
      await stores.store.append('other', 'none', [event()]);
      expect(await refusal()).to.include('not empty: there are events in its log, such as other@0');
      stores = { ...stores, store: memoryStores(place.path, clock).store };
      const vault = await openSqliteVault({ path: stores.vault, masterKey, clock });
      await vault.close();
      expect(await refusal()).to.include('not empty: there are entries in its vault');
      stores = { ...stores, vault: join(place.path, 'another.db') };
      const blobs = await openFolderBlobs({ folder: stores.blobs });
      await blobs.put(Buffer.from('x'));
      expect(await refusal()).to.include('not empty: there are blobs');
      expect(await told(stores.store)).to.deep.equal([]);
    });

    it('a folder that holds something already, and one that something else left', async () => {
      expect(await refusal({ into: join(data, 'moved') })).to.include('lies in the data folder itself');
      await writeFile(join(place.path, 'file'), '');
      expect(await refusal({ into: join(place.path, 'file') })).to.include('is no folder');
      await away();
      expect(await refusal()).to.include('has made: it is there, whole');
    });

    it('to go on while a store is away, and goes on when it is there again', async () => {
      const { store } = stores;
      let appends = 0;
      const flaky: typeof store = {
        ...store,
        append: async (...all) => {
          appends += 1;
          if (appends === 5) throw new StoreUnavailable('the store is away');
          return store.append(...all);
        },
      };
      stores = { ...stores, store: flaky };
      const one = { to: stores, inFlight: 1 };
      expect(await refusal(one)).to.equal(
        'the store is away. What was done stays: the same command again goes on.',
      );
      expect((await away(one)).log.before).to.be.greaterThan(0);
    });

    it('to move a stream that has lost its beginning though it keeps everything', async () => {
      const imported = join(place.path, 'imported');
      await mkdir(imported);
      await copyFile(join(data, 'master.key'), join(imported, 'master.key'));
      const log = openLogImport(join(imported, 'log.db'));
      log.add({ ...event(), stream: 'tenant-acme', revision: 3, place: 1 });
      log.close();
      const reader = openLogReader(join(imported, 'log.db'));
      openSqliteSealLeaves({ path: join(imported, 'seals.db'), logId: reader.logId }).close();
      reader.close();
      expect(await refusal({ data: imported })).to.include('the beginning of tenant-acme is gone');
    });

    it('the half-moved target of another platform', async () => {
      const ending = new AbortController();
      ending.abort();
      expect(await refusal({ signal: ending.signal })).to.include('Interrupted');
      const other = join(place.path, 'other');
      await fillFolder(other, clock);
      expect(await refusal({ data: other })).to.include('is of a migration of the log');
    });

    it('a platform that runs, and one that is served meanwhile', async () => {
      const lock = await lockFolder(data);
      await failure(away(), StoreLocked);
      lock.release();
      const store = await openSqliteEventStore({ path: join(data, 'log.db'), clock });
      const writing: Promise<unknown>[] = [];
      const told: MigrateOptions['told'] = ({ step }) => {
        if (step === 'seals' && writing.length === 0)
          writing.push(store.append('tenant-late', 'none', [event()]));
      };
      expect(await refusal({ told })).to.include('served meanwhile');
      await Promise.all(writing);
      await store.close();
      expect((await away()).resumed).to.equal(true);
      expect((await readToEnd(stores.store)).events.at(-1)?.stream).to.equal('tenant-late');
    });

    it('a platform that others serve', async () => {
      await away();
      const back = { data: into, into: join(place.path, 'again') };
      const served = { ...stores, inUse: true };
      const refused = await failure(migrated({ ...back, from: served }, clock), Refused);
      expect(refused.message).to.include('A process still serves the platform');
      expect(await migrated({ ...back, from: stores }, clock)).to.include({ resumed: false });
    });

    it('an order that the store did not keep, and what is no beginning of the log', async () => {
      const { store } = stores;
      let held: (() => void) | null = null;
      const disordered: typeof store = {
        ...store,
        append: async (...all) => {
          // The first waits until another was faster.
          if (held === null) await new Promise<void>((resolve) => (held = resolve));
          else held();
          return store.append(...all);
        },
      };
      const wrong = { to: { ...stores, store: disordered }, inFlight: 4 };
      expect(await refusal(wrong))
        .to.include('did not keep the order')
        .and.include('--in-flight 1');
      expect(await refusal()).to.include('it is no beginning of it. Empty the target');
    });

    it('a log that is not what was sealed of it, before anything is moved', async () => {
      tamper(join(data, 'log.db'), (log) =>
        log.exec("UPDATE events SET type = 'Forged' WHERE position = 40"),
      );
      expect(await refusal())
        .to.include('not what was sealed of it')
        .and.include('nothing was moved');
      expect(await told(stores.store)).to.deep.equal([]);
    });

    it('a blob whose bytes are not those of its name', async () => {
      const [first] = await blobsIn(join(data, 'blobs'));
      const hash = first!.slice('sha256:'.length, 71);
      await writeFile(join(data, 'blobs', hash.slice(0, 2), hash.slice(2, 4), hash), 'rotten');
      expect(await refusal()).to.include(`The blob sha256:${hash} is damaged`);
    });

    it('another master key, before the log is moved', async () => {
      await failure(away({ masterKey: async () => randomBytes(32) }), WrongMasterKey);
      expect(await told(stores.store)).to.deep.equal([]);
      expect(await away()).to.deep.include({ resumed: true });
    });

    it('to go on where the target was changed: something is in it that is not of this log', async () => {
      const told: MigrateOptions['told'] = ({ step }) => {
        if (step === 'seals') throw new Refused('ended early');
      };
      expect(await refusal({ told })).to.equal('ended early');
      await stores.store.append('foreign', 'none', [event()]);
      expect(await refusal()).to.include('holds more than the source');
    });

    it('to start as the old platform with the seals of what was moved away and went on', async () => {
      await away();
      const heads = await readFile(join(into, 'seals.ndjson'), 'utf8');
      const moved = openLogReader(join(data, 'log.db'));
      await writeFile(join(data, 'seals.ndjson'), heads);
      const { findings } = await verifyFolder(data, clock.now());
      expect(findings.map(({ kind }) => kind)).to.deep.equal(['head']);
      moved.close();
    });
  });
});
