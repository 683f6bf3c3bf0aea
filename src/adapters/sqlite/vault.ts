/** The embedded {@link Vault}: a SQLite file of its own, every value in it sealed. */
import { createHmac, randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../../ports/clock.ts';
import { StoreUnavailable } from '../../ports/event-store.ts';
import { SealBroken } from '../../ports/vault.ts';
import type { Vault, VaultKey } from '../../ports/vault.ts';
import {
  newKeyCheck,
  openKeyCheck,
  recordBinding,
  sealRecord,
  vaultKeys,
  type VaultKeys,
} from '../vault/keys.ts';
import { openSeal, readSeal, writeSeal } from '../vault/personal-seal.ts';
import type { PersonalKey } from '../vault/personal-seal.ts';
import { seal, unseal, unsealOnce } from '../vault/sealing.ts';
import { openVaultFile } from './vault-file.ts';
import { startVaultWriting } from './vault-writing.ts';

export interface SqliteVaultOptions {
  /** Of the file; its folder exists. */
  readonly path: string;
  /** 32 random bytes, kept elsewhere. */
  readonly masterKey: Uint8Array;
  /** Decides what has expired; default: the machine's. */
  readonly clock?: Pick<Clock, 'now'>;
}

/** How many opened personal keys stay in memory, the most recently used ones. */
const mostOpenKeys = 1000;

/** @throws {WrongMasterKey} of ../vault/keys.ts; {StoreUnavailable} when the file cannot be opened */
export async function openSqliteVault(options: SqliteVaultOptions): Promise<Vault> {
  const { path, masterKey, clock = { now: () => Date.now() } } = options;
  const keys = vaultKeys(masterKey);
  const database = openVaultFile(path);
  try {
    checkMasterKey(database, keys, path);
    database.exec('PRAGMA query_only = ON');
  } catch (error) {
    database.close();
    throw error;
  }
  const getRecord = database.prepare('SELECT sealed, expires_at FROM records WHERE kind = ? AND name = ?');
  const listNames = database.prepare(
    `SELECT name FROM records WHERE kind = ?1 AND name >= ?2 AND substr(name, 1, length(?2)) = ?2
     AND (expires_at IS NULL OR expires_at > ?3) ORDER BY name`,
  );
  const getPersonalKey = database.prepare('SELECT generation, sealed FROM personal_keys WHERE subject = ?');
  const writing = startVaultWriting(path);
  const openKeys = new Map<string, PersonalKey>();
  let closed: Promise<void> | null = null;

  function recordOf(key: VaultKey, value: Uint8Array, expiresAt: Date | undefined) {
    const { kind, name } = key;
    return { kind, name, ...sealRecord(keys, key, value, expiresAt), now: clock.now() };
  }

  /** The subject's key as the file has it now; null with the last generation when there is none (0: there never was). */
  function personalKey(subject: string): PersonalKey | { readonly generation: number; readonly key: null } {
    const open = openKeys.get(subject);
    openKeys.delete(subject);
    const found = open ?? readPersonalKey(subject);
    if (found.key) {
      openKeys.set(subject, found);
      const [oldest] = openKeys.size > mostOpenKeys ? openKeys.keys() : [];
      if (oldest !== undefined) openKeys.delete(oldest);
    }
    return found;
  }

  function readPersonalKey(subject: string) {
    const row = getPersonalKey.get(subject);
    const generation = Number(row?.['generation'] ?? 0);
    const sealed = row?.['sealed'];
    if (!(sealed instanceof Uint8Array)) return { generation, key: null };
    return { generation, key: unseal(keys.personal, [subject, generation], sealed) };
  }

  function ensureOpen(): void {
    if (closed) throw new StoreUnavailable('the vault is closed');
  }

  return {
    async put(key, value, { expiresAt } = {}) {
      await writing.write({ op: 'put', ...recordOf(key, value, expiresAt) });
    },
    async putIfAbsent(key, value, { expiresAt } = {}) {
      return (await writing.write({ op: 'putIfAbsent', ...recordOf(key, value, expiresAt) })) > 0;
    },
    async get(key) {
      ensureOpen();
      const row = getRecord.get(key.kind, key.name);
      if (!row) return null;
      const { sealed, expires_at } = row;
      const expiry = typeof expires_at === 'number' ? expires_at : null;
      if (expiry !== null && expiry <= clock.now()) return null;
      if (!(sealed instanceof Uint8Array)) throw new SealBroken('the record holds no sealed value');
      return unsealOnce(keys.records, recordBinding(key, expiry), sealed);
    },
    async delete(key) {
      return (await writing.write({ op: 'delete', ...key, now: clock.now() })) > 0;
    },
    async names(kind, prefix = '') {
      ensureOpen();
      return listNames.all(kind, prefix, clock.now()).map((row) => String(row['name']));
    },
    purge: () => writing.write({ op: 'purge', now: clock.now() }),

    async sealFor(subject, plaintext) {
      ensureOpen();
      for (;;) {
        // Always what the file holds: of two that mint at once one wins, and a forgetting in between is not undone.
        const found = personalKey(subject);
        if (found.key) return writeSeal(subject, found, plaintext);
        const generation = found.generation + 1;
        const sealed = seal(keys.personal, [subject, generation], randomBytes(32));
        await writing.write({ op: 'mint', subject, generation, sealed });
      }
    },
    async openFor(subject, text) {
      ensureOpen();
      const sealed = readSeal(text);
      const found = personalKey(subject);
      if (!found.key || (sealed.generation > 0 && sealed.generation < found.generation)) return null;
      return openSeal(subject, found, sealed);
    },
    async forget(subject) {
      await writing.write({ op: 'forget', subject });
      openKeys.delete(subject);
    },
    async fingerprint(purpose, value) {
      return createHmac('sha256', keys.fingerprints)
        .update(JSON.stringify([purpose, value]))
        .digest('hex');
    },
    close() {
      closed ??= writing.close().then(() => {
        openKeys.clear();
        database.close();
      });
      return closed;
    },
  };
}

/** Opens the sealed check that the first start wrote; writes it in a new file. */
function checkMasterKey(database: DatabaseSync, keys: VaultKeys, path: string): void {
  const check = database.prepare("SELECT value FROM meta WHERE name = 'key-check'").get()?.['value'];
  if (check instanceof Uint8Array) openKeyCheck(keys, check, `the vault ${path}`);
  else database.prepare("INSERT INTO meta (name, value) VALUES ('key-check', ?)").run(newKeyCheck(keys));
}
