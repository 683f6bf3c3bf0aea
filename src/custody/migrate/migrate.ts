/** A whole platform from one kind of stores to another. What was done stays when it ends early, and the same again goes on from there. */
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { exists } from '../../adapters/filesystem/durable-copies.ts';
import { syncFolder, writeSecretFile } from '../../adapters/filesystem/durable.ts';
import { lockFolder } from '../../adapters/sqlite/folder-lock.ts';
import { Refused } from '../../client/api.ts';
import { sentenceOf } from '../../core/seals/findings.ts';
import { openSigner, type Signer } from '../../core/seals/head.ts';
import { verifyLog } from '../../core/seals/verify.ts';
import { StoreUnavailable } from '../../ports/event-store.ts';
import { refuseTaken } from '../new-folder.ts';
import { begin } from './begin.ts';
import { copyBlobs, type CopiedBlobs } from './copy-blobs.ts';
import { copyLog, type CopiedLog } from './copy-log.ts';
import { copyVault, sumOf, type CopiedVault } from './copy-vault.ts';
import type { Source, Target } from './ends.ts';
import { readMigration, recordName } from './record.ts';
import { writeSeals } from './write-seals.ts';

export interface MigrateOptions {
  /** The data folder of the platform that is moved: nothing in it is changed, and nothing runs on it meanwhile. */
  readonly data: string;
  /** Where its signed heads are; default: in the data folder. */
  readonly heads: string;
  /** The data folder to be: absent or empty. */
  readonly into: string;
  /** Opens what is moved, locked already. @throws {Refused} */
  readonly openSource: () => Promise<Source>;
  /** Opens where it goes. @param folder what of it lies in a folder lies in this one, which becomes `into` */
  readonly openTarget: (folder: string) => Promise<Target>;
  /** Over both vaults. @throws {Refused} */
  readonly masterKey: () => Promise<Uint8Array>;
  readonly nowMs: () => number;
  readonly told: (step: Step) => void;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

export type Step =
  | { readonly step: 'verify' | 'log' | 'seals'; readonly events: number; readonly of: number }
  | { readonly step: 'vault' | 'blobs' | 'end' };

export interface Migrated {
  /** Identity of the log that was moved, and of what it is now. */
  readonly from: string;
  readonly to: string;
  readonly log: CopiedLog;
  readonly vault: CopiedVault;
  readonly blobs: CopiedBlobs;
  /** How many leaves went along; of these, those whose events are gone. */
  readonly seals: { readonly leaves: number; readonly expired: number };
  /** Whether an earlier run had begun it. */
  readonly resumed: boolean;
}

/**
 * The folder is there when all of it is.
 * @throws {Refused} {@link StoreLocked} when it cannot be done; what was done stays, for the next time
 */
export async function migrate(options: MigrateOptions): Promise<Migrated> {
  const data = resolve(options.data);
  const into = resolve(options.into);
  if (`${into}/`.startsWith(`${data}/`))
    throw new Refused(`${options.into} lies in the data folder itself: name a folder elsewhere.`);
  const done = await readMigration(into);
  if (done)
    throw new Refused(`${into} is what a migration of the log ${done.from} has made: it is there, whole.`);
  await refuseTaken(into, 'a migration makes a data folder of its own');
  if (!(await exists(join(data, 'seals.db'))))
    throw new Refused(`There are no seals in ${data}: start this version on it once, then move it.`);
  const unfinished = `${into}.migrating`;
  const sourceLock = await lockFolder(data);
  try {
    await refuseForeign(unfinished);
    await mkdir(unfinished, { recursive: true, mode: 0o700 });
    const lock = await lockFolder(unfinished);
    try {
      const migrated = await between(options, unfinished);
      await copySecrets(data, unfinished);
      lock.release();
      await rm(into, { recursive: true, force: true });
      await rename(unfinished, into);
      await syncFolder(dirname(into));
      return migrated;
    } catch (error) {
      throw error instanceof StoreUnavailable
        ? new Refused(`${error.message}. What was done stays: the same command again goes on.`)
        : error;
    } finally {
      lock.release();
    }
  } finally {
    sourceLock.release();
  }
}

async function between(options: MigrateOptions, folder: string): Promise<Migrated> {
  const source = await options.openSource();
  try {
    const target = await options.openTarget(folder);
    try {
      return await move(source, target, folder, options);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function move(
  source: Source,
  target: Target,
  folder: string,
  options: MigrateOptions,
): Promise<Migrated> {
  const { told, nowMs } = options;
  const masterKey = await options.masterKey();
  const from = source.log.logId;
  const to = target.log.logId;
  if (await source.inUse())
    throw new Refused(
      'A process still serves the platform that is to be moved. Stop every process of it; of one that was killed that is forgotten after ten seconds. Then begin again.',
    );
  const before = await begin(folder, { from, to }, target, nowMs());
  const { events: of, expired, lastHead } = await verify(source, options);
  const end = await source.log.head();
  const vault = await moveVault(source, target, masterKey, told);
  told({ step: 'blobs' });
  const goOn = (): void => refuseInterrupted(options.signal);
  const blobs = await copyBlobs(source.blobs, target.blobs, goOn);
  const log = await copyLog(source.log, target.log, (events) => {
    told({ step: 'log', events, of });
    goOn();
  });
  const sealing = (events: number): void => {
    told({ step: 'seals', events, of: log.events });
    goOn();
  };
  sealing(0);
  const leaves = await writeSeals(
    { source, target, folder, log, lastHead, signer: vault.signer },
    { ...options, told: sealing },
  );
  told({ step: 'end' });
  if ((await source.log.head()) !== end || (await sumOf(source.vault)) !== (await sumOf(target.vault)))
    throw new Refused(
      'The platform that is moved was served meanwhile. Stop every process of it, then begin again: it goes on from where it is.',
    );
  const gone = expired + log.left.reduce((sum, { events }) => sum + events, 0);
  return {
    ...{ from, to, log, blobs, resumed: before !== null },
    vault: vault.copied,
    seals: { leaves, expired: gone },
  };
}

/** @throws {Refused} when the log that is moved is not what was sealed of it */
async function verify(source: Source, { told, nowMs, signal }: MigrateOptions) {
  const { log, leaves, heads, moves } = source;
  const of = leaves.size();
  const verified = await verifyLog(
    { log, leaves, heads, moves, nowMs: nowMs() },
    {
      onProgress: (events) => {
        told({ step: 'verify', events, of });
        refuseInterrupted(signal);
      },
    },
  );
  const damage = source.damage();
  if (verified.found === 0 && damage === null) return verified;
  const isTorn = verified.found === verified.foundUnsealed && damage === null;
  throw new Refused(
    [
      'The log that is to be moved is not what was sealed of it: nothing was moved.',
      ...verified.findings.slice(0, 5).map(sentenceOf),
      ...(damage === null ? [] : [damage]),
      isTorn
        ? 'Its end was torn, behind what was sealed: start the platform on it once, which goes on from there.'
        : 'Repair it by restoring a backup: slipway restore (docs/backup.md).',
    ].join('\n'),
  );
}

async function moveVault(
  source: Source,
  target: Target,
  masterKey: Uint8Array,
  told: MigrateOptions['told'],
): Promise<{ readonly copied: CopiedVault; readonly signer: Signer }> {
  told({ step: 'vault' });
  const copied = await copyVault(source.vault, target.vault);
  // Before the long work: a wrong key is told at once.
  const opened = await target.openVault(masterKey);
  try {
    return { copied, signer: await openSigner(opened) };
  } finally {
    await opened.close();
  }
}

/** Where settings do not give them, they are files of the data folder. */
async function copySecrets(from: string, to: string): Promise<void> {
  for (const name of ['master.key', 'jwt.secret']) {
    if (!(await exists(join(from, name)))) continue;
    await writeSecretFile(join(to, name), await readFile(join(from, name), 'utf8'));
  }
}

function refuseInterrupted(signal: AbortSignal): void {
  if (signal.aborted) throw new Refused('Interrupted: the same command again goes on from there.');
}

/** @throws {Refused} when there is something that no migration left */
async function refuseForeign(unfinished: string): Promise<void> {
  if (!(await exists(unfinished)) || (await readMigration(unfinished))) return;
  const ours = ['lock.sqlite', recordName, 'log.db', 'vault.db', 'blobs'];
  // Until the record is there, only empty stores are.
  if ((await readdir(unfinished)).some((name) => !ours.some((begin) => name.startsWith(begin))))
    throw new Refused(`${unfinished} is in the way, and is of no migration: move it elsewhere.`);
}
