/** A whole platform whose log is on EventStoreDB, killed while it is written to. */
import { expect } from 'chai';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEventStoreDb } from '../../../src/adapters/eventstoredb/event-store.ts';
import { openKeptLog } from '../../../src/custody/kept-log.ts';
import { verifyFolder } from '../../../src/custody/verified-folder.ts';
import { failure, readToEnd } from '../../contract/event-store-given.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { logInAsAdmin, spawnServer, type SpawnedServer } from '../../support/spawned-server.ts';
import { withStore } from '../../support/stores.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { logFaults } from '../../support/whole-log.ts';
import { caller, createWritingClient, prefixFaults } from '../../support/writing-client.ts';

const seed = Number(process.env['SEED'] ?? Date.now());

withStore('EVENTSTORE_URL', `a platform on EventStoreDB (SEED=${seed})`, (url) => {
  /** The server cannot be emptied, so its platform is always the same one: its data folder is kept from run to run. */
  async function dataFolder(): Promise<string> {
    const store = await openEventStoreDb({ url });
    const folder = join(tmpdir(), `slipway-test-of-eventstoredb-${store.logId}`);
    await store.close();
    await mkdir(folder, { recursive: true });
    return folder;
  }

  async function killed(rounds: number, kill: (server: SpawnedServer) => Promise<void>): Promise<void> {
    const folder = await dataFolder();
    const random = seededRandom(seed);
    const run = seed.toString(36);
    const clients = Array.from({ length: 4 }, (_, nth) =>
      createWritingClient(`es${run}${nth}`, seededRandom(random.between(0, 2 ** 32))),
    );
    let server: SpawnedServer | null = null;
    try {
      for (let round = 1; round <= rounds; round += 1) {
        const running = (server = await spawnServer(folder, { EVENTSTORE_URL: url }));
        const call = caller(running.client, await logInAsAdmin(running.client));
        const faults = await Promise.all(clients.map((client) => client.lookBack(call)));
        expect(faults.flat(), `round ${round}`).to.deep.equal([]);
        let answersLeft = random.between(5, 40);
        const onAnswer = (): void => {
          answersLeft -= 1;
          if (answersLeft === 0) void kill(running);
        };
        await Promise.all(clients.map((client) => client.write(call, onAnswer)));
        await running.kill();
      }
      server = await spawnServer(folder, { EVENTSTORE_URL: url });
      const call = caller(server.client, await logInAsAdmin(server.client));
      for (const client of clients) {
        expect(await client.lookBack(call)).to.deep.equal([]);
        const there = [];
        for (const { isThere } of client.commands) there.push(await isThere(call));
        expect(prefixFaults(client.commands, there)).to.deep.equal([]);
      }
      expect(await server.stop()).to.equal(0);
    } finally {
      await server?.kill();
    }
    const store = await openEventStoreDb({ url });
    const { events } = await readToEnd(store, { streamPrefixes: ['tenant-', 'plugin-', 'slot-'] });
    expect(logFaults(events)).to.deep.equal([]);
    const log = await openKeptLog(folder, store);
    expect(await verifyFolder(folder, Date.now(), { log })).to.deep.include({ found: 0 });
  }

  it('is refused to a data folder that has no vault of it', async function () {
    this.timeout(180_000);
    // So that there is a platform, also when nothing else was run.
    const server = await spawnServer(await dataFolder(), { EVENTSTORE_URL: url });
    expect(await server.stop()).to.equal(0);
    const other = await temporaryFolder();
    try {
      const start = spawnServer(other.path, { EVENTSTORE_URL: url });
      const { message } = await failure(start, Error);
      expect(message).to.match(/ended with 2: EVENTSTORE_URL, SLIPWAY_DATA_DIR: the log is of a platform/);
    } finally {
      await other.remove();
    }
  });

  it('loses nothing that it acknowledged when it is killed, and is as it was sealed', async function () {
    this.timeout(180_000);
    await killed(3, (server) => server.kill());
  });
});
