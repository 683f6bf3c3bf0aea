import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { connectMongo } from '../../../src/adapters/mongodb/connection.ts';
import { openMongoVault } from '../../../src/adapters/mongodb/vault.ts';
import { WrongMasterKey } from '../../../src/adapters/vault/keys.ts';
import { describeVault } from '../../contract/vault.ts';
import { failure } from '../../support/failure.ts';
import { testDatabase } from '../../support/mongo-database.ts';
import { withStore } from '../../support/stores.ts';

withStore('MONGODB_URL', 'the vault in MongoDB', (server) => {
  const open = async (url: string, masterKey: Uint8Array, clock = { now: () => Date.now() }) => {
    const connection = await connectMongo({ url });
    try {
      const vault = await openMongoVault({ connection, masterKey, clock });
      return { ...vault, close: () => vault.close().then(() => connection.close()) };
    } catch (error) {
      await connection.close();
      throw error;
    }
  };

  describeVault('MongoDB', async () => {
    const database = testDatabase(server);
    const masterKey = randomBytes(32);
    return {
      open: (clock) => open(database.url, masterKey, clock),
      remove: () => database.drop(),
    };
  });

  describe('of several processes', () => {
    const database = testDatabase(server);
    const masterKey = randomBytes(32);
    after(() => database.drop());

    it('is one: what one puts, seals and forgets, the other finds so', async () => {
      const vaults = await Promise.all([open(database.url, masterKey), open(database.url, masterKey)]);
      const [one, other] = vaults;
      try {
        const sealed = await Promise.all(
          Array.from({ length: 20 }, (_, index) => (index % 2 ? one : other).sealFor('usr_1', String(index))),
        );
        const opened = await Promise.all(sealed.map((text) => other.openFor('usr_1', text)));
        expect(opened).to.deep.equal(sealed.map((_, index) => String(index)));
        await one.forget('usr_1');
        expect(await other.openFor('usr_1', sealed[0] ?? '')).to.equal(null);
        const key = { kind: 'session', name: 'usr_1.ses' };
        const stored = await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            (index % 2 ? one : other).putIfAbsent(key, Buffer.from('x')),
          ),
        );
        expect(stored.filter(Boolean)).to.have.length(1);
        await other.delete(key);
        expect(await one.get(key)).to.equal(null);
        expect(await one.fingerprint('email', 'a@example.com')).to.equal(
          await other.fingerprint('email', 'a@example.com'),
        );
      } finally {
        for (const vault of vaults) await vault.close();
      }
    });

    it('refuses a process that has another master key', async () => {
      await (await open(database.url, masterKey)).close();
      expect(await failure(open(database.url, randomBytes(32)))).to.be.instanceOf(WrongMasterKey);
      expect(await failure(open(database.url, randomBytes(16)))).to.be.instanceOf(WrongMasterKey);
    });

    it('keeps no value that can be read', async () => {
      const vault = await open(database.url, masterKey);
      await vault.put({ kind: 'secret', name: 'n' }, Buffer.from('planted-value'));
      await vault.sealFor('usr_2', 'planted-person');
      await vault.close();
      const connection = await connectMongo({ url: database.url });
      const all = await Promise.all(
        ['vault_meta', 'vault_records', 'vault_personal_keys'].map((name) =>
          connection.db.collection(name).find().toArray(),
        ),
      );
      await connection.close();
      const kept = all.flat().map((document) => Buffer.from(JSON.stringify(document)).toString('latin1'));
      expect(all.flat().length).to.be.above(2);
      for (const text of kept) {
        expect(text).not.to.include(Buffer.from('planted-value').toString('base64').slice(0, 12));
        expect(text).not.to.include('planted');
      }
    });
  });
});
