/** A sealed log in a folder, and whoever looks at it or changes it behind the platform's back. */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { fileSealHeads } from '../../../src/adapters/filesystem/seal-heads.ts';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import { openLogReader } from '../../../src/adapters/sqlite/log-reader.ts';
import { openSqliteSealLeaves } from '../../../src/adapters/sqlite/seal-leaves.ts';
import { openSigner, parseHead, type Signer } from '../../../src/core/seals/head.ts';
import { createLeafMaker } from '../../../src/core/seals/leaf-maker.ts';
import { createSealer, type Sealer } from '../../../src/core/seals/sealer.ts';
import { verifyLog, type Verification, type VerifyOptions } from '../../../src/core/seals/verify.ts';
import type { EventStore } from '../../../src/ports/event-store.ts';
import type { SealHeads, SealLeaves } from '../../../src/ports/seals.ts';
import { openMemoryVault } from '../../support/memory-vault.ts';
import { createRecordingLog, type RecordingLog } from '../../support/recording-log.ts';
import { createVirtualClock, type VirtualClock } from '../../support/virtual-clock.ts';

export interface SealedFiles {
  readonly log: string;
  readonly leaves: string;
  readonly heads: string;
}

export function filesIn(folder: string): SealedFiles {
  const path = (name: string): string => join(folder, name);
  return { log: path('log.db'), leaves: path('seals.db'), heads: path('seals.ndjson') };
}

export async function testSigner(): Promise<Signer> {
  return openSigner(openMemoryVault(createVirtualClock()));
}

export interface Sealing {
  readonly store: EventStore;
  readonly leaves: SealLeaves;
  readonly heads: SealHeads;
  readonly sealer: Sealer;
  readonly clock: VirtualClock;
  readonly log: RecordingLog;
  readonly close: () => Promise<void>;
}

/** The sealer is not started. */
export async function openSealing(folder: string, signer: Signer): Promise<Sealing> {
  const files = filesIn(folder);
  const clock = createVirtualClock();
  const store = await openSqliteEventStore({ path: files.log, clock });
  const leaves = openSqliteSealLeaves({ path: files.leaves, logId: store.logId });
  const heads = fileSealHeads(files.heads, parseHead);
  const log = createRecordingLog();
  const leafMaker = createLeafMaker(store, leaves);
  const sealer = createSealer({ store, leaves, leafMaker, heads, signer, clock, log });
  const close = async (): Promise<void> => {
    await sealer.stop();
    leaves.close();
    await store.close();
  };
  return { store, leaves, heads, sealer, clock, log, close };
}

/** As `audit verify` does, on a folder in which nothing runs. */
export async function verifyFolder(
  folder: string,
  options: VerifyOptions & { readonly nowMs?: number } = {},
): Promise<Verification> {
  const files = filesIn(folder);
  const log = openLogReader(files.log);
  const leaves = openSqliteSealLeaves({ path: files.leaves, logId: log.logId, readOnly: true });
  try {
    const { nowMs = createVirtualClock().now() } = options;
    return await verifyLog({ log, leaves, heads: fileSealHeads(files.heads, parseHead), nowMs }, options);
  } finally {
    leaves.close();
    log.close();
  }
}

/** With the sqlite3 shell, as it were. */
export function tamper<T>(file: string, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file);
  try {
    return work(database);
  } finally {
    database.close();
  }
}
