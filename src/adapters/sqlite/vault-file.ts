/** The vault's SQLite file: its tables, and the writes that its writer thread does. */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { StoreUnavailable } from '../../ports/event-store.ts';

/** Values arrive sealed. Times are milliseconds since 1970. */
export type VaultWrite =
  | {
      readonly op: 'put' | 'putIfAbsent';
      readonly kind: string;
      readonly name: string;
      readonly sealed: Uint8Array;
      readonly expiresAt: number | null;
      readonly now: number;
    }
  | { readonly op: 'delete'; readonly kind: string; readonly name: string; readonly now: number }
  | { readonly op: 'purge'; readonly now: number }
  | {
      readonly op: 'mint';
      readonly subject: string;
      readonly generation: number;
      readonly sealed: Uint8Array;
    }
  | { readonly op: 'forget'; readonly subject: string };

const tables = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL, name TEXT NOT NULL, sealed BLOB NOT NULL, expires_at INTEGER,
    PRIMARY KEY (kind, name)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS records_by_expiry ON records (expires_at) WHERE expires_at IS NOT NULL;
  -- sealed is NULL once the subject is forgotten.
  CREATE TABLE IF NOT EXISTS personal_keys (
    subject TEXT PRIMARY KEY, generation INTEGER NOT NULL, sealed BLOB
  ) STRICT;
`;

/**
 * Opens the file, readable by its owner alone, and makes its tables where they are missing.
 * @throws {StoreUnavailable} when it cannot be opened, or is no SQLite file
 */
export function openVaultFile(path: string): DatabaseSync {
  let database: DatabaseSync | null = null;
  try {
    // SQLite gives its own two files the permissions of this one.
    closeSync(openSync(path, 'a', 0o600));
    database = new DatabaseSync(path, { timeout: 5000 });
    // secure_delete: a key that was forgotten must not survive in a free page.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON');
    database.exec(`BEGIN IMMEDIATE; ${tables} COMMIT`);
    return database;
  } catch (error) {
    database?.close();
    const reason = error instanceof Error ? error.message : String(error);
    throw new StoreUnavailable(`the vault ${path} cannot be opened: ${reason}`, { cause: error });
  }
}

/** Applies writes, all in one durable transaction or none. */
export type ApplyWrites = (writes: readonly VaultWrite[]) => number[];

/** @returns a function that answers for each write how many rows it changed that a reader could have seen */
export function writesInto(database: DatabaseSync): ApplyWrites {
  const apply = oneWriteInto(database);
  return (writes) => {
    database.exec('BEGIN IMMEDIATE');
    let changes: number[];
    try {
      changes = writes.map(apply);
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
    if (writes.some(({ op }) => op === 'forget')) truncateJournal(database);
    return changes;
  };
}

function oneWriteInto(database: DatabaseSync): (write: VaultWrite) => number {
  const values = 'INSERT INTO records (kind, name, sealed, expires_at) VALUES (?, ?, ?, ?)';
  const replace = 'SET sealed = excluded.sealed, expires_at = excluded.expires_at';
  const put = database.prepare(`${values} ON CONFLICT DO UPDATE ${replace}`);
  const putIfAbsent = database.prepare(
    `${values} ON CONFLICT DO UPDATE ${replace} WHERE records.expires_at <= ?`,
  );
  const deleteLive = database.prepare(
    'DELETE FROM records WHERE kind = ? AND name = ? AND (expires_at IS NULL OR expires_at > ?)',
  );
  const deleteExpired = database.prepare('DELETE FROM records WHERE expires_at <= ?');
  const mint = database.prepare(
    `INSERT INTO personal_keys (subject, generation, sealed) VALUES (?, ?, ?) ON CONFLICT DO UPDATE
     SET generation = excluded.generation, sealed = excluded.sealed
     WHERE personal_keys.sealed IS NULL AND excluded.generation = personal_keys.generation + 1`,
  );
  const forget = database.prepare(
    'UPDATE personal_keys SET sealed = NULL WHERE subject = ? AND sealed IS NOT NULL',
  );
  return (write) => {
    switch (write.op) {
      case 'put':
        return Number(put.run(write.kind, write.name, write.sealed, write.expiresAt).changes);
      case 'putIfAbsent':
        return Number(
          putIfAbsent.run(write.kind, write.name, write.sealed, write.expiresAt, write.now).changes,
        );
      case 'delete':
        return Number(deleteLive.run(write.kind, write.name, write.now).changes);
      case 'purge':
        return Number(deleteExpired.run(write.now).changes);
      case 'mint':
        return Number(mint.run(write.subject, write.generation, write.sealed).changes);
      case 'forget':
        return Number(forget.run(write.subject).changes);
    }
  };
}

/** The journal still holds the page with the forgotten key: copies it into the file, then empties it. */
function truncateJournal(database: DatabaseSync): void {
  const result = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get();
  if (result?.['busy'] !== 0) throw new Error('the journal could not be emptied: a reader is in the way');
}
