/** Assurance, "50 slow and 50 fast sockets": who does not read costs little, is closed with 1013, and misses nothing all the same. */
import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import type { Authenticated } from '../../../src/api/authentication.ts';
import { createHttpServer, type HttpServer } from '../../../src/api/http/server.ts';
import { openSockets, type Sockets } from '../../../src/api/socket/sockets.ts';
import { createExecutor } from '../../../src/core/command-executor.ts';
import { createSchemas } from '../../../src/core/schemas.ts';
import { allEvents } from '../../../src/events.ts';
import type { EventStore, JsonObject, NewEvent } from '../../../src/ports/event-store.ts';
import { createAnnouncer } from '../../../src/projections/announcements/announcer.ts';
import { readableSeals } from '../../commands/support.ts';
import { createRecordingLog } from '../../support/recording-log.ts';
import { type Crowd, startCrowd } from '../../support/socket-crowd.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

const megabyte = 1024 * 1024;
const description = 'n'.repeat(20_000);
const sample = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../golden/PluginRegistered.v1.json'), 'utf8'),
) as JsonObject;
const rounds = process.env['SLIPWAY_LONG'] === undefined ? 1 : 5;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of memory that are needed: how much garbage lies around beside them is the collector's choice. */
function held(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const anybody: Authenticated = {
  ...{ userId: 'usr_1', tenant: 'acme', role: 'Viewer', permissions: new Set(['plugins:read']) },
  ...{ sessionId: 'ses_1', scope: null, apiKeyId: null, expiresAt: new Date('2031-01-01T00:00:00.000Z') },
};

describe('fifty slow and fifty fast sockets', function () {
  this.timeout(rounds * 60_000);
  const clock = createVirtualClock();
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let store: EventStore;
  let sockets: Sockets;
  let http: HttpServer;
  let crowd: Crowd;
  let registered = 0;

  // The log and the sockets alone: read models would take memory of their own for what is written here.
  before(async () => {
    folder = await temporaryFolder();
    store = await openSqliteEventStore({ path: join(folder.path, 'log.db'), clock });
    const schemas = createSchemas(allEvents);
    const executor = createExecutor({ store, schemas, snapshots: null, clock, log: createRecordingLog() });
    const authenticate = async () => anybody;
    sockets = await openSockets({
      ...{ store, clock, logger: pino({ level: 'silent' }), isReady: () => true, origins: [] },
      announcer: createAnnouncer({ store, schemas, executor, vault: readableSeals() }),
      authentication: { authenticate, authenticateKey: authenticate, holds: async () => true },
      sessions: { onEnd: () => undefined },
      isTrustedProxy: () => false,
      isSuspended: async () => false,
      limits: { all: 1_000, perUser: 1_000 },
    });
    const app = () => undefined;
    http = await createHttpServer({ app, upgrades: sockets, host: '127.0.0.1', port: 0 });
    crowd = startCrowd();
  });
  after(async () => {
    await crowd.close();
    await Promise.all([http.stop(), sockets.stop()]);
    await store.close();
    await folder.remove();
  });

  /** So many plugins, each with a long description. @returns the last of them */
  async function register(megabytes: number): Promise<string> {
    const append = async (): Promise<string> => {
      const pluginId = `talkative-${(registered += 1)}`;
      const metadata = {
        ...{ tenant: 'acme', actor: { id: 'usr_1', face: 'test' }, correlationId: 'c', causationId: 'c' },
        ...{ at: '2030-01-01T00:00:00.000Z', schema: 1 },
      };
      const data = { ...sample, pluginId, description };
      const event: NewEvent = { id: randomUUID(), type: 'PluginRegistered', data, metadata };
      await store.append(`plugin-${pluginId}`, 'none', [event]);
      return pluginId;
    };
    let last = '';
    for (let sent = 0; sent < megabytes * megabyte; sent += 20 * description.length)
      last = (await Promise.all(Array.from({ length: 20 }, append))).at(-1) ?? '';
    return last;
  }

  for (let round = 1; round <= rounds; round += 1) {
    it(`cost less than 64 MiB, and in the end all have been told the same (round ${round})`, async () => {
      // What one socket makes everything take is there before it is measured.
      await crowd.open({ url: http.url, token: 'x', fast: 1, slow: 0 });
      await crowd.fastAt(await register(24));

      await crowd.open({ url: http.url, token: 'x', fast: 50, slow: 50 });
      const before = held();
      const first = registered + 1;
      const last = await register(16);
      await crowd.fastAt(last);
      expect((held() - before) / megabyte, 'MiB').to.be.lessThan(64);

      await clock.advance(15_000);
      const { fast, slow, codes } = await crowd.wake(last);
      expect(codes).to.deep.equal(Array.from({ length: 50 }, () => 1013));
      const all = Array.from({ length: registered + 1 - first }, (_, index) => `talkative-${first + index}`);
      for (const slugs of [...fast, ...slow]) expect(slugs).to.deep.equal(all);
    });
  }
});
