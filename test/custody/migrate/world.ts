/** A platform's data folder with everything in it that a move must bring along, and stores to move it to. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openFolderBlobs } from '../../../src/adapters/filesystem/blobs.ts';
import { fileSealHeads } from '../../../src/adapters/filesystem/seal-heads.ts';
import { fileSealMoves, movesName } from '../../../src/adapters/filesystem/seal-moves.ts';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { openLogReader } from '../../../src/adapters/sqlite/log-reader.ts';
import { openSealedSqliteVault } from '../../../src/adapters/sqlite/sealed-vault.ts';
import { openSqliteSealLeaves } from '../../../src/adapters/sqlite/seal-leaves.ts';
import { openSqliteVault } from '../../../src/adapters/sqlite/vault.ts';
import { createLeafMaker } from '../../../src/core/seals/leaf-maker.ts';
import { openSigner, parseHead } from '../../../src/core/seals/head.ts';
import { parseMove } from '../../../src/core/seals/move.ts';
import { createSealer, type Sealer } from '../../../src/core/seals/sealer.ts';
import { verifyLog, type Verification } from '../../../src/core/seals/verify.ts';
import { migrate, type Migrated, type MigrateOptions } from '../../../src/custody/migrate/migrate.ts';
import { embedded, openSource, openTarget, type Stores } from '../../../src/custody/migrate/open.ts';
import type { EventStore, RecordedEvent } from '../../../src/ports/event-store.ts';
import type { SignedHead } from '../../../src/ports/seals.ts';
import type { Vault } from '../../../src/ports/vault.ts';
import { event, readToEnd } from '../../contract/event-store-given.ts';
import { emptyMemoryLog, openMemoryEventStore } from '../../support/memory-event-store.ts';
import { createRecordingLog } from '../../support/recording-log.ts';
import { type VirtualClock } from '../../support/virtual-clock.ts';

export const masterKey = randomBytes(32);
const day = 86_400_000;

/** Stores that hold a log in memory, and the rest in files; opened again, they hold what they held. */
export interface MemoryStores {
  readonly store: EventStore;
  readonly vault: string;
  readonly blobs: string;
  readonly inUse?: boolean;
}

export function memoryStores(folder: string, clock: VirtualClock): MemoryStores {
  const log = emptyMemoryLog();
  return {
    store: openMemoryEventStore({ log, clock }),
    ...{ vault: join(folder, 'stores.db'), blobs: join(folder, 'stores-blobs') },
  };
}

const at = (ms: number) => ({ metadata: { ...event().metadata, at: new Date(ms).toISOString() } });

/**
 * `tenant-…` and `plugin-…`, whole; `health-whole`, kept for 7 days; `health-short`, whose first three events of ten have expired and
 * are gone; after the last head one more event. 1,200 events in all, of which many follow one another in one stream.
 */
export async function fillFolder(folder: string, clock: VirtualClock): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(join(folder, 'master.key'), `${masterKey.toString('base64')}\n`);
  const vault = await openSqliteVault({ path: join(folder, 'vault.db'), masterKey, clock });
  await vault.put({ kind: 'secret', name: 'acme/token' }, Buffer.from('hunter2'));
  await vault.put({ kind: 'session', name: 's1' }, Buffer.from('x'), {
    expiresAt: new Date(clock.now() + day),
  });
  const store = await openSqliteEventStore({ path: join(folder, 'log.db'), clock });
  const { sealer, close } = await openSealer(folder, store, vault, clock);
  const sealed = await vault.sealFor('usr_1', 'ada@example.com');
  await vault.sealFor('usr_2', 'gone');
  await vault.forget('usr_2');
  const old = at(clock.now() - 8 * day);
  const recent = at(clock.now() - day);
  await store.append('user-1', 'none', [event({ ...recent, data: { sealed } })]);
  for (let n = 0; n < 3; n += 1) await store.append('health-short', n === 0 ? 'none' : n - 1, [event(old)]);
  await store.append('health-whole', 'none', [event(recent)]);
  await sealer.seal();
  for (let n = 0; n < 7; n += 1) {
    await store.append('health-short', n + 2, [event({ ...recent, data: { n } })]);
    await store.append(
      `plugin-${n}`,
      'none',
      Array.from({ length: 40 * n + 1 }, () => event({ ...recent, data: { n, text: 'é\u{1F600}' } })),
    );
    await store.append('tenant-acme', n === 0 ? 'none' : n - 1, [event(recent)]);
    await sealer.seal();
  }
  await store.append(
    'tenant-large',
    'none',
    Array.from({ length: 330 }, () => event(recent)),
  );
  await store.setRetention('health-whole', { maxAgeSeconds: 604_800 });
  await store.setRetention('health-short', { maxAgeSeconds: 604_800, truncateBefore: 3 });
  await store.scavenge();
  await store.append('tenant-acme', 6, [event(recent)]);
  await sealer.seal();
  await store.append('tenant-acme', 7, [event({ ...recent, data: { sealed: false } })]);
  await close();
  await store.close();
  await vault.close();
  const blobs = await openFolderBlobs({ folder: join(folder, 'blobs') });
  for (let n = 0; n < 9; n += 1) await blobs.put(Buffer.from(`package ${n}`.repeat(n * 1_000)));
}

async function openSealer(
  folder: string,
  store: EventStore,
  vault: Vault,
  clock: VirtualClock,
): Promise<{ readonly sealer: Sealer; readonly close: () => Promise<void> }> {
  const leaves = openSqliteSealLeaves({ path: join(folder, 'seals.db'), logId: store.logId });
  const heads = fileSealHeads(join(folder, 'seals.ndjson'), parseHead);
  const moves = await fileSealMoves(join(folder, movesName), parseMove).all();
  const signer = await openSigner(vault);
  const sealer = createSealer({
    store,
    leaves,
    leafMaker: createLeafMaker(store, leaves),
    heads,
    moves,
    signer,
    clock,
    log: createRecordingLog(),
  });
  return { sealer, close: async () => leaves.close() };
}

/** The stores' ends: opened for each run, while what they hold stays. */
export async function opened({ store, vault, blobs, inUse = false }: MemoryStores): Promise<Stores> {
  const sealed = openSealedSqliteVault(vault);
  return {
    log: store,
    vault: { sealed, open: (key) => openSqliteVault({ path: vault, masterKey: key }) },
    blobs: await openFolderBlobs({ folder: blobs }),
    inUse: async () => inUse,
    close: () => sealed.close(),
  };
}

/** @param from default: embedded @param to default: embedded */
export async function migrated(
  options: Pick<MigrateOptions, 'data' | 'into'> &
    Partial<MigrateOptions> & {
      readonly from?: MemoryStores;
      readonly to?: MemoryStores;
      readonly inFlight?: number;
    },
  clock: VirtualClock,
): Promise<Migrated> {
  const { from, to, inFlight = 8, ...rest } = options;
  const heads = join(options.data, 'seals.ndjson');
  return migrate({
    openSource: async () => openSource(options.data, from ? await opened(from) : embedded, heads),
    openTarget: async (folder) => openTarget(folder, to ? await opened(to) : embedded, inFlight),
    ...{
      heads,
      masterKey: async () => masterKey,
      nowMs: () => clock.now(),
      told: () => undefined,
      signal: new AbortController().signal,
    },
    ...rest,
  });
}

/** What a log says, whatever its positions are. */
export async function told(
  log: Pick<EventStore, 'readAll'>,
): Promise<readonly Omit<RecordedEvent, 'position'>[]> {
  const { events } = await readToEnd(log);
  return events.map(({ position: _position, ...rest }) => rest);
}

export async function eventsIn(folder: string): Promise<readonly Omit<RecordedEvent, 'position'>[]> {
  const log = openLogReader(join(folder, 'log.db'));
  try {
    return await told(log);
  } finally {
    log.close();
  }
}

export async function blobsIn(folder: string): Promise<readonly string[]> {
  const blobs = await openFolderBlobs({ folder });
  return (await Array.fromAsync(blobs.all())).map(({ digest, size }) => `${digest} ${size}`).sort();
}

export async function verified(
  folder: string,
  store: Pick<EventStore, 'logId' | 'readAll' | 'compare'>,
  clock: VirtualClock,
): Promise<Verification> {
  const leaves = openSqliteSealLeaves({ path: join(folder, 'seals.db'), logId: store.logId });
  try {
    const heads = fileSealHeads(join(folder, 'seals.ndjson'), parseHead);
    const moves = await fileSealMoves(join(folder, movesName), parseMove).all();
    return await verifyLog({ log: store, leaves, heads, moves, nowMs: clock.now() });
  } finally {
    leaves.close();
  }
}

export async function headsIn(folder: string): Promise<readonly SignedHead[]> {
  const heads = await Array.fromAsync(fileSealHeads(join(folder, 'seals.ndjson'), parseHead).read());
  return heads.filter((head) => 'size' in head);
}
