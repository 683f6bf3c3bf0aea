/** `slipway backup`: log, seals, vault and blobs, while the server runs. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  copyDurably,
  digestOf,
  exists,
  filesBelow,
  syncFile,
} from '../adapters/filesystem/durable-copies.ts';
import { hasCode, syncFolder } from '../adapters/filesystem/durable.ts';
import { movesName } from '../adapters/filesystem/seal-moves.ts';
import { openFolderBlobs } from '../adapters/filesystem/blobs.ts';
import { copyDatabase, damageOf, summaryOfLog } from '../adapters/sqlite/copies.ts';
import { copyVaultWithoutKeys, identityOfVault } from '../adapters/sqlite/vault-copies.ts';
import { Refused } from '../client/api.ts';
import type { Blobs } from '../ports/blobs.ts';
import { manifestFormat, manifestName, type Manifest } from './manifest.ts';
import { copyBlobs } from './migrate/copy-blobs.ts';
import { renewKeyFile } from './personal-keys.ts';
import { verifiedFolder } from './verified-folder.ts';

export interface BackupOptions {
  /** The data folder. */
  readonly data: string;
  /** Where signed heads are; default: in the data folder. */
  readonly heads?: string | undefined;
  /** The folder of all backups: each becomes a folder in it, beside the one file of personal keys. */
  readonly to: string;
  /** Where packages are; default: in the data folder. */
  readonly blobs?: Blobs | null;
  readonly nowMs: number;
  readonly progress?: (what: string) => void;
}

/** @returns its folder, and what is in it. @throws {Refused} when it cannot be made; then nothing of it is left */
export async function backUp(
  options: BackupOptions,
): Promise<{ readonly folder: string; readonly manifest: Manifest }> {
  const { data, to, nowMs, progress = () => undefined } = options;
  const heads = options.heads ?? join(data, 'seals.ndjson');
  if (!(await exists(join(data, 'log.db'))))
    throw new Refused(`There is no log in ${data}: --data names the data folder of a platform.`);
  if (!(await exists(join(data, 'seals.db'))))
    throw new Refused(`There are no seals in ${data}: start this version on it once, then back it up.`);
  const target = resolve(to);
  if (`${target}/`.startsWith(`${resolve(data)}/`))
    throw new Refused(
      `${to} lies in the data folder itself: what takes one takes both. Name a folder elsewhere.`,
    );
  await mkdir(target, { recursive: true, mode: 0o700 });
  const made = new Date(nowMs).toISOString();
  const folder = join(target, `slipway-${made.replaceAll(/[-:]/g, '').replace(/[.]\d+/, '')}`);
  if (await exists(folder)) throw new Refused(`${folder} is there already: one backup a second.`);
  const unfinished = join(target, `.unfinished-${randomUUID()}`);
  await mkdir(unfinished, { mode: 0o700 });
  const path = (name: string): string => join(unfinished, name);
  try {
    // In this order: a head names leaves, a leaf names an event, an event names what the vault and the blobs hold. Whatever is added
    // while the copy runs is then known to none of those before it.
    progress('seals');
    await copyHeads(heads, path('seals.ndjson'));
    copyDatabase(join(data, 'seals.db'), path('seals.db'));
    // Written once, by a move, before anything runs on the folder.
    if (await exists(join(data, movesName))) await copyDurably(join(data, movesName), path(movesName));
    progress('log');
    copyDatabase(join(data, 'log.db'), path('log.db'));
    progress('vault');
    copyVaultWithoutKeys(join(data, 'vault.db'), path('vault.db'));
    progress('blobs');
    if (options.blobs) await fetchBlobs(options.blobs, path('blobs'));
    else await copyFolder(join(data, 'blobs'), path('blobs'));
    progress('checking');
    await check(unfinished, nowMs);
    const { logId, events, last } = summaryOfLog(path('log.db'));
    const files = await filesBelow(unfinished);
    const manifest: Manifest = {
      ...{ kind: 'slipway backup', format: manifestFormat, madeAt: made },
      log: { id: logId, events, last: last && { place: last.place, at: new Date(last.atMs).toISOString() } },
      vault: identityOfVault(path('vault.db')),
      files: await Promise.all(
        files.map(async (name) => {
          await syncFile(path(name));
          return digestOf(unfinished, name);
        }),
      ),
    };
    await renewKeyFile(join(data, 'vault.db'), target);
    // Last: a folder without it is no backup.
    await writeFile(path(manifestName), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
    await syncFile(path(manifestName));
    await rename(unfinished, folder);
    await syncFolder(target);
    return { folder, manifest };
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

/** Up to the last whole line: the server may be writing one just now. */
async function copyHeads(from: string, to: string): Promise<void> {
  const text = await readFile(from, 'utf8').catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  });
  await writeFile(to, text.slice(0, text.lastIndexOf('\n') + 1), { mode: 0o600 });
}

async function copyFolder(from: string, to: string): Promise<void> {
  for (const name of await filesBelow(from)) {
    if (name.startsWith('unfinished/')) continue;
    await copyDurably(join(from, name), join(to, name)).catch((error: unknown) => {
      // Deleted since: then nothing in the log's copy can need it any more, or it was deleted with what did.
      if (!hasCode(error, 'ENOENT')) throw error;
    });
  }
}

/** Under the names that the folder of blobs gives them. @throws {Refused} when one is not what its name says */
async function fetchBlobs(blobs: Blobs, to: string): Promise<void> {
  const folder = await openFolderBlobs({ folder: to });
  await copyBlobs(blobs, folder, () => undefined);
  await folder.close();
  await rm(join(to, 'unfinished'), { recursive: true });
}

/** That the copy is whole: by SQLite's own checks, and by the seals. @throws {Refused} */
async function check(folder: string, nowMs: number): Promise<void> {
  for (const name of ['log.db', 'seals.db', 'vault.db']) {
    const damage = damageOf(join(folder, name));
    if (damage !== null) throw new Refused(`${name} is damaged, so it was not backed up: ${damage}`);
  }
  await verifiedFolder(folder, nowMs);
}
