/** One process a data folder. The lock is SQLite's on a file of its own: the system lets go of it however the process ends. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another process works in the folder. The message is for the person who started this one. */
export class StoreLocked extends Error {
  override readonly name = 'StoreLocked';
}

const busy = 5;

/**
 * Makes the folder where there is none, and holds it until `release` or the end of the process.
 * @throws {StoreLocked} when somebody holds it, this process included
 */
export async function lockFolder(path: string): Promise<{ release(): void }> {
  const folder = resolve(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(folder, 'lock.sqlite'), { timeout: 0 });
  try {
    // Nothing is ever written: an open exclusive transaction is the lock.
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === busy)
      throw new StoreLocked(
        `the data folder ${folder} is in use by another Slipway: stop that one, or give this one a folder of its own (SLIPWAY_DATA_DIR)`,
      );
    throw error;
  }
  return {
    release() {
      if (database.isOpen) database.close();
    },
  };
}
