/** A platform's log on its way to a real server and back, cut off on the way. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect } from 'chai';
import { openEventStoreDb } from '../../src/adapters/eventstoredb/event-store.ts';
import { connectMongo } from '../../src/adapters/mongodb/connection.ts';
import { openMongoLeases } from '../../src/adapters/mongodb/leases.ts';
import { Refused } from '../../src/client/api.ts';
import type { MigrateOptions } from '../../src/custody/migrate/migrate.ts';
import { verifyFolder } from '../../src/custody/verified-folder.ts';
import { openStores } from '../../src/stores.ts';
import { failure } from '../contract/event-store-given.ts';
import { inNamespace } from '../support/stream-namespace.ts';
import { withStore } from '../support/stores.ts';
import { testDatabase } from '../support/mongo-database.ts';
import { describeMove } from '../custody/migrate/moving.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { eventsIn, fillFolder, memoryStores, migrated, told, verified } from '../custody/migrate/world.ts';

withStore('EVENTSTORE_URL', 'a migration to EventStoreDB', (url) => {
  for (const inFlight of [1, 64])
    it(`keeps order, revisions and seals, there and back, with ${inFlight} appends in flight`, async function () {
      this.timeout(300_000);
      const place = await temporaryFolder();
      const clock = createVirtualClock();
      const whole = await openEventStoreDb({ url });
      try {
        const store = inNamespace(whole, `migration-${randomUUID()}/`);
        const stores = { ...memoryStores(place.path, clock), store };
        const [data, into, again] = ['data', 'moved', 'again'].map((name) => join(place.path, name)) as [
          string,
          string,
          string,
        ];
        await fillFolder(data, clock);
        const endsEarly: MigrateOptions['told'] = (step) => {
          if (step.step === 'log' && step.events >= 1_000) throw new Refused('ended early');
        };
        await failure(migrated({ data, into, to: stores, inFlight, told: endsEarly }, clock), Refused);
        const { log, resumed } = await migrated({ data, into, to: stores, inFlight }, clock);
        expect(resumed).to.equal(true);
        expect(log.before).to.be.greaterThan(0);
        const kept = (await eventsIn(data)).filter(({ stream }) => stream !== 'health-short');
        expect(await told(store)).to.deep.equal(kept);
        expect(log.left.map(({ stream, through }) => [stream, through])).to.deep.equal([['health-short', 9]]);
        expect(await store.retention('health-short')).to.deep.equal({ maxAgeSeconds: 604_800 });
        const there = await verified(into, store, clock);
        expect(there).to.deep.include({ found: 0, unsealed: 0, expired: 10 });
        await migrated({ data: into, into: again, from: stores }, clock);
        expect(await eventsIn(again)).to.deep.equal(kept);
        expect(await verifyFolder(again, clock.now())).to.deep.include({ found: 0, expired: 10 });
      } finally {
        await whole.close();
        await place.remove();
      }
    });
});

withStore('MONGODB_URL', 'a platform whose vault and read models are in MongoDB', (server) => {
  describeMove('moves there', async () => {
    const database = testDatabase(server);
    return { settings: { MONGODB_URL: database.url }, remove: () => database.drop() };
  });

  it('is seen to be served while a process of it seals the log', async () => {
    const database = testDatabase(server);
    const connection = await connectMongo({ url: database.url });
    const leases = await openMongoLeases({ connection });
    const stores = await openStores({ MONGODB_URL: database.url });
    try {
      expect(await stores.inUse()).to.equal(false);
      const lease = await leases.acquire('seals', 'another process', 60_000);
      expect(await stores.inUse()).to.equal(true);
      if (lease) await leases.release(lease);
      expect(await stores.inUse()).to.equal(false);
    } finally {
      await stores.close();
      await leases.close();
      await connection.close();
      await database.drop();
    }
  });
});
