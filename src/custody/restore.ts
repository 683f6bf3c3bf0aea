/** `slipway restore`: a data folder from a backup, as it was then or earlier. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { openFolderBlobs } from '../adapters/filesystem/blobs.ts';
import { copyDurably, exists, syncFile } from '../adapters/filesystem/durable-copies.ts';
import { syncFolder } from '../adapters/filesystem/durable.ts';
import { fileSealHeads } from '../adapters/filesystem/seal-heads.ts';
import { type Cut, cutLog } from '../adapters/sqlite/copies.ts';
import { lockFolder } from '../adapters/sqlite/folder-lock.ts';
import { openLogReader } from '../adapters/sqlite/log-reader.ts';
import { openSqliteSealLeaves } from '../adapters/sqlite/seal-leaves.ts';
import { identityOfVault, putPersonalKeys } from '../adapters/sqlite/vault-copies.ts';
import { Refused } from '../client/api.ts';
import type { Blobs } from '../ports/blobs.ts';
import { parseHead } from '../core/seals/head.ts';
import type { Verification } from '../core/seals/verify.ts';
import { copyBlobs } from './migrate/copy-blobs.ts';
import { checkFiles, readManifest, type Manifest } from './manifest.ts';
import { keyFileName } from './personal-keys.ts';
import { verifiedFolder } from './verified-folder.ts';

export interface RestoreOptions {
  /** A folder that a backup made. */
  readonly from: string;
  /** The data folder to be: absent, or empty, unless `replace`. */
  readonly data: string;
  /** What is in the data folder is moved aside, never deleted. */
  readonly replace: boolean;
  /** Null: all that is in the backup. */
  readonly until: { readonly position: string } | { readonly atMs: number } | null;
  /** Default: beside the backup. */
  readonly keyFile?: string | undefined;
  /** Where packages go; default: into the data folder. What is there already stays. */
  readonly blobs?: Blobs | null;
  readonly nowMs: number;
  readonly progress?: (what: string) => void;
}

export interface Restored {
  readonly manifest: Manifest;
  readonly verified: Verification;
  /** Where the former data folder is; null: there was none. */
  readonly aside: string | null;
  /** Whether the key over the vault is there: from the former data folder. */
  readonly hasMasterKey: boolean;
}

/** Kept of the former data folder: they are in no backup. */
const carriedOver = ['master.key', 'jwt.secret'];

/** @throws {Refused} {@link StoreLocked} when it cannot be done; then everything is as it was */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { from, replace, nowMs, progress = () => undefined } = options;
  const manifest = await readManifest(from);
  const cut = options.until && cutOf(options.until, manifest);
  const keyFile = options.keyFile ?? join(from, '..', keyFileName);
  checkKeyFile(keyFile, (await exists(keyFile)) && identityOf(keyFile), manifest);
  const data = resolve(options.data);
  const entries = (await exists(data))
    ? (await readdir(data)).filter((name) => !name.startsWith('lock.sqlite'))
    : [];
  if (entries.length > 0 && !replace)
    throw new Refused(
      `${data} is not empty: name another folder, or move what is in it aside with --replace.`,
    );
  await mkdir(dirname(data), { recursive: true, mode: 0o700 });
  // Nobody may start on the folder meanwhile.
  const lock = (await exists(data)) ? await lockFolder(data) : null;
  const unfinished = `${data}.restoring-${randomUUID()}`;
  try {
    await mkdir(unfinished, { mode: 0o700 });
    await checkFiles(from, manifest, (path) => progress(`checking ${path}`));
    for (const { path } of manifest.files) {
      progress(`copying ${path}`);
      await copyDurably(join(from, path), join(unfinished, path));
    }
    putPersonalKeys(join(unfinished, 'vault.db'), keyFile);
    if (cut) {
      progress('cutting');
      await cutAll(unfinished, cut);
    }
    progress('verifying');
    const verified = await verifiedFolder(unfinished, nowMs);
    if (options.blobs) {
      progress('storing packages');
      await handOver(join(unfinished, 'blobs'), options.blobs);
    }
    for (const name of carriedOver)
      if (entries.includes(name)) await copyDurably(join(data, name), join(unfinished, name));
    for (const name of ['log.db', 'seals.db', 'vault.db', 'seals.ndjson'])
      await syncFile(join(unfinished, name));
    const aside =
      lock && entries.length > 0
        ? `${data}.before-${new Date(nowMs).toISOString().replaceAll(/[-:.]/g, '')}`
        : null;
    lock?.release();
    if (aside !== null) await rename(data, aside);
    else if (lock) await rm(data, { recursive: true });
    await rename(unfinished, data);
    await syncFolder(dirname(data));
    return { manifest, verified, aside, hasMasterKey: entries.includes('master.key') };
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  } finally {
    lock?.release();
  }
}

/** Moves packages from a folder to where the settings say that they are. */
async function handOver(folder: string, blobs: Blobs): Promise<void> {
  const from = await openFolderBlobs({ folder });
  await copyBlobs(from, blobs, () => undefined);
  await from.close();
  await rm(folder, { recursive: true });
}

function cutOf(until: NonNullable<RestoreOptions['until']>, { log, madeAt }: Manifest): Cut {
  if ('atMs' in until) {
    if (until.atMs > Date.parse(madeAt))
      throw new Refused(`The backup is of ${madeAt}: it does not know what came later.`);
    return { atMs: until.atMs };
  }
  const [, id, place] = /^(.+):(\d+)$/.exec(until.position) ?? [];
  if (id !== log.id)
    throw new Refused(`The position ${until.position} is not of the log in this backup (${log.id}).`);
  if (Number(place) > (log.last?.place ?? 0))
    throw new Refused(
      `The backup ends at position ${log.id}:${log.last?.place ?? 0}, before ${until.position}.`,
    );
  return { place: Number(place) };
}

function identityOf(keyFile: string): string | null {
  try {
    return identityOfVault(keyFile);
  } catch {
    return null;
  }
}

function checkKeyFile(keyFile: string, identity: string | null | false, { vault }: Manifest): void {
  if (identity === false)
    throw new Refused(
      `There is no ${keyFile}. Personal keys are not in a backup, but in this one file beside all of them: name it with --key-file.`,
    );
  if (identity === null) throw new Refused(`${keyFile} is no file of personal keys, or is damaged.`);
  if (identity !== vault) throw new Refused(`${keyFile} is of another platform than the backup.`);
}

/** Log, leaves and heads end at the same event. */
async function cutAll(folder: string, cut: Cut): Promise<void> {
  cutLog(join(folder, 'log.db'), cut);
  const log = openLogReader(join(folder, 'log.db'));
  const leaves = openSqliteSealLeaves({ path: join(folder, 'seals.db'), logId: log.logId });
  try {
    const head = await log.head();
    let size = leaves.size();
    for (let last = leaves.page(size - 1, 1)[0]; last && log.compare(last.position, head) > 0;) {
      size -= 1;
      last = leaves.page(size - 1, 1)[0];
    }
    leaves.truncate(size);
    const file = join(folder, 'seals.ndjson');
    const kept: string[] = [];
    for await (const line of fileSealHeads(file, parseHead).read())
      if ('size' in line && line.size <= size) kept.push(`${JSON.stringify(line)}\n`);
    await writeFile(file, kept.join(''), { mode: 0o600 });
  } finally {
    leaves.close();
    log.close();
  }
}
