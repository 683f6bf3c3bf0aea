/** The one file of personal keys beside all backups. */
import { randomUUID } from 'node:crypto';
import { chmod, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { exists, syncFile } from '../adapters/filesystem/durable-copies.ts';
import { syncFolder } from '../adapters/filesystem/durable.ts';
import { lockFolder, StoreLocked } from '../adapters/sqlite/folder-lock.ts';
import { copyPersonalKeys } from '../adapters/sqlite/vault-copies.ts';
import { StoreUnavailable } from '../ports/event-store.ts';

export const keyFileName = 'personal-keys.db';

/**
 * Puts the keys as they are in the vault now in the place of those before, whole or not at all. One at a time: else a backup that
 * copied before somebody was forgotten could write after it.
 * @param vault the file that the server uses
 * @param backups the folder of all backups
 * @throws {StoreLocked} when another does the same for ten seconds
 */
export async function renewKeyFile(vault: string, backups: string): Promise<void> {
  const lock = await patientLock(backups);
  const newest = join(backups, `.unfinished-${randomUUID()}.db`);
  try {
    copyPersonalKeys(vault, newest);
    await chmod(newest, 0o600);
    await syncFile(newest);
    await rename(newest, join(backups, keyFileName));
    await syncFolder(backups);
  } finally {
    await rm(newest, { force: true });
    lock.release();
  }
}

async function patientLock(folder: string): ReturnType<typeof lockFolder> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await lockFolder(folder);
    } catch (error) {
      if (!(error instanceof StoreLocked) || tries >= 200) throw error;
      await setTimeout(50);
    }
  }
}

/** For a server: does nothing where no folder of backups is named, or there is no backup in it yet. @throws {StoreUnavailable} */
export function keyFileRenewal(settings: {
  readonly SLIPWAY_DATA_DIR: string;
  readonly SLIPWAY_BACKUP_DIR?: string | undefined;
}): () => Promise<void> {
  const { SLIPWAY_DATA_DIR: data, SLIPWAY_BACKUP_DIR: backups } = settings;
  return async () => {
    if (backups === undefined) return;
    try {
      if (await exists(join(backups, keyFileName))) await renewKeyFile(join(data, 'vault.db'), backups);
    } catch (error) {
      throw new StoreUnavailable('the file of personal keys beside the backups could not be made anew', {
        cause: error,
      });
    }
  };
}
