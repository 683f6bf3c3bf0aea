import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { connectMongo } from '../../../src/adapters/mongodb/connection.ts';
import { openMongoLeases } from '../../../src/adapters/mongodb/leases.ts';
import { describeLeases } from '../../contract/leases.ts';
import { testDatabase } from '../../support/mongo-database.ts';
import { withStore } from '../../support/stores.ts';

withStore('MONGODB_URL', 'leases in MongoDB', (server) => {
  describeLeases(
    'MongoDB',
    async (clock) => {
      const database = testDatabase(server);
      return {
        async open() {
          const connection = await connectMongo({ url: database.url });
          const leases = await openMongoLeases({ connection, clock });
          const close = () => leases.close().then(() => connection.close());
          return { ...leases, close };
        },
        remove: () => database.drop(),
      };
    },
    { runs: 10 },
  );

  it("end by the server's clock", async () => {
    const database = testDatabase(server);
    const connection = await connectMongo({ url: database.url });
    try {
      const leases = await openMongoLeases({ connection });
      const first = await leases.acquire('rollouts', 'a', 600);
      expect(first).to.deep.equal({ name: 'rollouts', fence: 1 });
      expect(await leases.acquire('rollouts', 'b', 600)).to.equal(null);
      await pause(700);
      expect(await leases.renew({ name: 'rollouts', fence: 1 }, 600)).to.equal(false);
      expect(await leases.acquire('rollouts', 'b', 60_000)).to.deep.equal({ name: 'rollouts', fence: 2 });
      expect(await leases.renew({ name: 'rollouts', fence: 2 }, 60_000)).to.equal(true);
      await leases.release({ name: 'rollouts', fence: 2 });
      expect(await leases.acquire('rollouts', '$a', 600)).to.deep.equal({ name: 'rollouts', fence: 3 });
      const [kept] = await connection.db.collection('leases').find().toArray();
      expect(kept).to.deep.include({ holder: '$a' });
    } finally {
      await connection.close();
      await database.drop();
    }
  });
});
