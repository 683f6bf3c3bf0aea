import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { connectMongo } from '../../../src/adapters/mongodb/connection.ts';
import { openMongoRateLimits } from '../../../src/adapters/mongodb/rate-limits.ts';
import { describeRateLimits } from '../../contract/rate-limits.ts';
import { testDatabase } from '../../support/mongo-database.ts';
import { withStore } from '../../support/stores.ts';

withStore('MONGODB_URL', 'rate limits in MongoDB', (server) => {
  describeRateLimits('MongoDB', async (clock) => {
    const database = testDatabase(server);
    const connection = await connectMongo({ url: database.url });
    const limits = await openMongoRateLimits({ connection, clock, windowsBy: clock });
    return {
      ...limits,
      async close() {
        await limits.close();
        await connection.close();
        await database.drop();
      },
    };
  });

  it("have windows by the server's clock, which all processes share, and tell them by their own", async () => {
    const database = testDatabase(server);
    const connections = [
      await connectMongo({ url: database.url }),
      await connectMongo({ url: database.url }),
    ] as const;
    try {
      const ahead = { now: () => Date.now() + 3_600_000 };
      const one = await openMongoRateLimits({ connection: connections[0], clock: { now: () => Date.now() } });
      const other = await openMongoRateLimits({ connection: connections[1], clock: ahead });
      const limit = { points: 3, seconds: 1 };
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => (index % 2 ? one : other).consume('anna', 1, limit)),
      );
      expect(answers.filter(({ allowed }) => allowed)).to.have.length(3);
      const told = await other.consume('anna', 0, limit);
      expect(told.resetAt - ahead.now()).to.be.within(-500, 1_000);
      await pause(1_100);
      expect(await one.consume('anna', 1, limit)).to.include({ remaining: 2, allowed: true });
    } finally {
      for (const connection of connections) await connection.close();
      await database.drop();
    }
  });
});
