/**
 * The vault in a backup: without personal keys. These lie in one file for all backups, made anew by each of them and by each forgetting,
 * so that no older backup brings back the key of somebody who was forgotten.
 */
import { hash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { copyDatabase } from './copies.ts';

/** Which vault a file is of: two files of one vault agree in it. */
export function identityOfVault(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const check = database.prepare("SELECT value FROM meta WHERE name = 'key-check'").get()?.['value'];
    if (!(check instanceof Uint8Array)) throw new Error(`${path} is no vault`);
    return hash('sha256', check);
  } finally {
    database.close();
  }
}

/** The vault as it is now, without personal keys. @param to must not exist */
export function copyVaultWithoutKeys(from: string, to: string): void {
  copyDatabase(from, to);
  without(to, 'DELETE FROM personal_keys');
}

/** Only the personal keys of a vault, as they are now. @param to must not exist */
export function copyPersonalKeys(from: string, to: string): void {
  copyDatabase(from, to);
  without(to, 'DELETE FROM records');
}

/** Nothing of what is deleted stays in a free page. */
function without(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA journal_mode = DELETE; PRAGMA secure_delete = ON; ${sql}; VACUUM`);
  } finally {
    database.close();
  }
}

/** Puts the personal keys of a file into a vault that has none. */
export function putPersonalKeys(vault: string, personalKeys: string): void {
  const database = new DatabaseSync(vault);
  try {
    database.prepare('ATTACH DATABASE ? AS keys').run(personalKeys);
    database.exec('INSERT INTO personal_keys SELECT * FROM keys.personal_keys');
    database.exec('DETACH DATABASE keys');
  } finally {
    database.close();
  }
}
