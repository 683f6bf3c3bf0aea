import { randomBytes } from 'node:crypto';
import { connectMongo } from '../../../src/adapters/mongodb/connection.ts';
import { openSealedMongoVault } from '../../../src/adapters/mongodb/sealed-vault.ts';
import { openMongoVault } from '../../../src/adapters/mongodb/vault.ts';
import { describeSealedVault } from '../../contract/sealed-vault.ts';
import { testDatabase } from '../../support/mongo-database.ts';
import { withStore } from '../../support/stores.ts';

const masterKey = randomBytes(32);

withStore('MONGODB_URL', 'the vault in MongoDB as it is', (server) => {
  describeSealedVault('MongoDB', async () => {
    const database = testDatabase(server);
    return {
      async open(clock) {
        const connection = await connectMongo({ url: database.url });
        const vault = await openMongoVault({ connection, masterKey, clock });
        return { ...vault, close: () => vault.close().then(() => connection.close()) };
      },
      async openSealed() {
        const connection = await connectMongo({ url: database.url });
        const vault = openSealedMongoVault({ connection });
        return { ...vault, close: () => vault.close().then(() => connection.close()) };
      },
      remove: () => database.drop(),
    };
  });
});
