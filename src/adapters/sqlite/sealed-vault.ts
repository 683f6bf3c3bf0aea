/** The embedded vault's file, as it is: see the port. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { SealedItem, SealedVault } from '../../ports/sealed-vault.ts';
import { openVaultFile } from './vault-file.ts';

const page = 500;

/** @param path made where it is missing @throws {StoreUnavailable} when it cannot be opened */
export function openSealedSqliteVault(path: string): SealedVault {
  const database = openVaultFile(path);
  const check = database.prepare("SELECT value FROM meta WHERE name = 'key-check'");
  const records = database.prepare(
    'SELECT kind, name, sealed, expires_at FROM records WHERE (kind, name) > (?, ?) ORDER BY kind, name LIMIT ?',
  );
  const personalKeys = database.prepare(
    'SELECT subject, generation, sealed FROM personal_keys WHERE subject > ? ORDER BY subject LIMIT ?',
  );
  const write = writerOf(database);

  function inTransaction(work: () => void): void {
    database.exec('BEGIN IMMEDIATE');
    try {
      work();
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }

  return {
    async *read() {
      const sealed = check.get()?.['value'];
      if (sealed instanceof Uint8Array) yield [{ kind: 'key-check', sealed }];
      for (let last = { kind: '', name: '' }, end = false; !end;) {
        const items = records.all(last.kind, last.name, page).map(recordOf);
        last = items.at(-1)?.key ?? last;
        end = items.length < page;
        if (items.length > 0) yield items;
      }
      for (let last = '', end = false; !end;) {
        const items = personalKeys.all(last, page).map(personalKeyOf);
        last = items.at(-1)?.subject ?? last;
        end = items.length < page;
        if (items.length > 0) yield items;
      }
    },
    async clear() {
      inTransaction(() => database.exec('DELETE FROM records; DELETE FROM personal_keys; DELETE FROM meta'));
    },
    async write(items) {
      inTransaction(() => items.forEach(write));
    },
    async close() {
      if (database.isOpen) database.close();
    },
  };
}

function writerOf(database: DatabaseSync): (item: SealedItem) => void {
  const check = database.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('key-check', ?)");
  const record = database.prepare(
    'INSERT OR REPLACE INTO records (kind, name, sealed, expires_at) VALUES (?, ?, ?, ?)',
  );
  const personalKey = database.prepare(
    'INSERT OR REPLACE INTO personal_keys (subject, generation, sealed) VALUES (?, ?, ?)',
  );
  return (item) => {
    switch (item.kind) {
      case 'key-check':
        return void check.run(item.sealed);
      case 'record':
        return void record.run(item.key.kind, item.key.name, item.sealed, item.expiresAt);
      case 'personal-key':
        return void personalKey.run(item.subject, item.generation, item.sealed);
    }
  };
}

type Row = Record<string, SQLOutputValue>;

function recordOf(row: Row): Extract<SealedItem, { kind: 'record' }> {
  const expiresAt = row['expires_at'];
  return {
    kind: 'record',
    key: { kind: String(row['kind']), name: String(row['name']) },
    sealed: bytesOf(row['sealed']) ?? new Uint8Array(),
    expiresAt: typeof expiresAt === 'number' ? expiresAt : null,
  };
}

function personalKeyOf(row: Row): Extract<SealedItem, { kind: 'personal-key' }> {
  return {
    kind: 'personal-key',
    ...{ subject: String(row['subject']), generation: Number(row['generation']) },
    sealed: bytesOf(row['sealed']),
  };
}

function bytesOf(value: SQLOutputValue | undefined): Uint8Array | null {
  return value instanceof Uint8Array ? value : null;
}
