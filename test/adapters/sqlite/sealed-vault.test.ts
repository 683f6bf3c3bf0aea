import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openSealedSqliteVault } from '../../../src/adapters/sqlite/sealed-vault.ts';
import { openSqliteVault } from '../../../src/adapters/sqlite/vault.ts';
import { describeSealedVault } from '../../contract/sealed-vault.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const masterKey = randomBytes(32);

describeSealedVault('sqlite', async () => {
  const folder = await temporaryFolder();
  const path = join(folder.path, 'vault.db');
  return {
    open: (clock) => openSqliteVault({ path, masterKey, clock }),
    openSealed: async () => openSealedSqliteVault(path),
    remove: () => folder.remove(),
  };
});
