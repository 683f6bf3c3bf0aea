import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openSqliteVault } from '../../src/adapters/sqlite/vault.ts';
import type { Vault } from '../../src/ports/vault.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A vault of its own for a test; `close` removes it as well. */
export async function openTestVault(clock: { now(): number }): Promise<Vault> {
  const folder = await temporaryFolder();
  const vault = await openSqliteVault({
    path: join(folder.path, 'vault.db'),
    masterKey: randomBytes(32),
    clock,
  });
  return { ...vault, close: () => vault.close().then(() => folder.remove()) };
}
