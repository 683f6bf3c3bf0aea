/** What a platform is moved from and to: stores that are named, and for each that is not, its part of a data folder. */
import { join } from 'node:path';
import { openFolderBlobs } from '../../adapters/filesystem/blobs.ts';
import { fileSealHeads } from '../../adapters/filesystem/seal-heads.ts';
import { fileSealMoves, movesName } from '../../adapters/filesystem/seal-moves.ts';
import { damageOf } from '../../adapters/sqlite/copies.ts';
import { openLogReader } from '../../adapters/sqlite/log-reader.ts';
import { openSealedSqliteVault } from '../../adapters/sqlite/sealed-vault.ts';
import { openSqliteSealLeaves } from '../../adapters/sqlite/seal-leaves.ts';
import { openSqliteVault } from '../../adapters/sqlite/vault.ts';
import { parseHead } from '../../core/seals/head.ts';
import { parseMove } from '../../core/seals/move.ts';
import type { Blobs } from '../../ports/blobs.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { SealedVault } from '../../ports/sealed-vault.ts';
import type { Vault } from '../../ports/vault.ts';
import { embeddedSource, embeddedTarget } from './embedded-ends.ts';
import type { Source, Target } from './ends.ts';
import { storeSource, storeTarget } from './store-ends.ts';

/** Null: in the data folder. */
export interface Stores {
  readonly log: EventStore | null;
  readonly vault: {
    readonly sealed: SealedVault;
    /** The same one, opened. @throws {WrongMasterKey} */
    open(masterKey: Uint8Array): Promise<Vault>;
  } | null;
  readonly blobs: Blobs | null;
  /** Whether a process is known to work with them; a data folder has a lock. */
  inUse(): Promise<boolean>;
  close(): Promise<void>;
}

export const embedded: Stores = {
  log: null,
  vault: null,
  blobs: null,
  inUse: async () => false,
  close: async () => undefined,
};

/** What was opened, in the order in which it is closed. */
function openings() {
  const opened: (() => Promise<void> | void)[] = [];
  return {
    add<T>(port: T, close: (port: T) => Promise<void> | void): T {
      opened.unshift(() => close(port));
      return port;
    },
    async close(): Promise<void> {
      for (let next = opened.shift(); next; next = opened.shift()) await next();
    },
  };
}

/** @param stores are closed with it @param heads where signed heads are */
export async function openSource(folder: string, stores: Stores, heads: string): Promise<Source> {
  const file = (name: string): string => join(folder, name);
  const opened = openings();
  opened.add(stores, (all) => all.close());
  try {
    const reader = stores.log ?? opened.add(openLogReader(file('log.db')), (log) => log.close());
    const leaves = opened.add(
      openSqliteSealLeaves({ path: file('seals.db'), logId: reader.logId, readOnly: true }),
      (all) => all.close(),
    );
    return {
      log: 'retentions' in reader ? embeddedSource(reader) : storeSource(reader, leaves),
      leaves,
      heads: fileSealHeads(heads, parseHead),
      moves: await fileSealMoves(file(movesName), parseMove).all(),
      vault:
        stores.vault?.sealed ?? opened.add(openSealedSqliteVault(file('vault.db')), (vault) => vault.close()),
      blobs:
        stores.blobs ?? opened.add(await openFolderBlobs({ folder: file('blobs') }), (all) => all.close()),
      inUse: () => stores.inUse(),
      damage: () => (stores.log ? null : damageOf(file('log.db'))),
      close: () => opened.close(),
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** @param stores are closed with it @param inFlight how many appends at once, where the log is in a store */
export async function openTarget(folder: string, stores: Stores, inFlight: number): Promise<Target> {
  const file = (name: string): string => join(folder, name);
  const opened = openings();
  opened.add(stores, (all) => all.close());
  try {
    return {
      log: stores.log
        ? storeTarget(stores.log, inFlight)
        : opened.add(embeddedTarget(file('log.db')), (log) => log.close()),
      vault:
        stores.vault?.sealed ?? opened.add(openSealedSqliteVault(file('vault.db')), (vault) => vault.close()),
      openVault: (masterKey) =>
        stores.vault?.open(masterKey) ?? openSqliteVault({ path: file('vault.db'), masterKey }),
      blobs:
        stores.blobs ?? opened.add(await openFolderBlobs({ folder: file('blobs') }), (all) => all.close()),
      close: () => opened.close(),
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}
