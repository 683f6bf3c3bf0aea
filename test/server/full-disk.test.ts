/** A disk that is full, then has room again ("Nothing is lost"): 503, reads go on, writes recover without a restart. */
import { join } from 'node:path';
import { expect } from 'chai';
import { openSqliteEventStore } from '../../src/adapters/sqlite/event-store.ts';
import { StoreUnavailable, type EventStore } from '../../src/ports/event-store.ts';
import { event } from '../contract/event-store-given.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const rounds = process.env['SLIPWAY_LONG'] ? 500 : 20;

describe('a server whose disk is full, and has room again', function () {
  this.timeout(rounds * 10_000);
  let place: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: TestServer;
  let store: EventStore;
  let token: string;
  before(async () => {
    place = await temporaryFolder();
    store = await openSqliteEventStore({ path: join(place.path, 'small.db'), maxPages: 400 + rounds * 4 });
    server = await startTestServer({ ports: { eventStore: store } });
    token = await server.asRole('PlatformAdmin');
  });
  after(async () => {
    await server.stop();
    await place.remove();
  });

  const create = (tenantId: string, padding = 0) =>
    server.call('POST', '/api/v1/tenants', { token, body: { tenantId, name: 'n'.repeat(1 + padding) } });
  const show = (path: string) => server.call('GET', `/api/v1${path}`, { token });

  let filled = 0;
  /** Until not even so many bytes more are taken. */
  async function fill(bytes: number): Promise<void> {
    for (;;) {
      try {
        await store.append('filler', filled === 0 ? 'none' : filled - 1, [
          event({ data: { text: 'x'.repeat(bytes) } }),
        ]);
        filled += 1;
      } catch (error) {
        if (error instanceof StoreUnavailable) return;
        throw error;
      }
    }
  }

  it(`answers 503, goes on reading, and writes again without a restart: ${rounds} times`, async () => {
    for (let round = 1; round <= rounds; round += 1) {
      const random = seededRandom(round);
      const kept = `kept-${round}`;
      expect((await create(kept)).status, `round ${round}`).to.equal(201);
      for (const bytes of [100_000, random.between(2_000, 20_000), 500]) await fill(bytes);
      const refused: string[] = [];
      for (let n = 0; refused.length < 3; n += 1) {
        expect(n, `round ${round}: it never was full`).to.be.below(200);
        const id = `full-${round}-${n}`;
        const { status, headers, body } = await create(id, 60);
        if (status === 201) continue;
        expect(status, JSON.stringify(body)).to.equal(503);
        expect(headers.get('retry-after')).to.match(/^\d+$/);
        refused.push(id);
      }
      const read = await show(`/tenants/${kept}`);
      expect(read.status, JSON.stringify(read.body)).to.equal(200);
      expect((await show('/tenants?limit=1')).status).to.equal(200);

      await store.setRetention('filler', { truncateBefore: filled - 1 }).catch(() => undefined);
      await store.scavenge();
      // What was refused left nothing behind that would be in its way, and comes again as it was sent.
      for (const id of refused) expect((await create(id, 60)).status, `round ${round}: ${id}`).to.equal(201);
      await server.settle();
      for (const id of refused) expect((await show(`/tenants/${id}`)).status).to.equal(200);
    }
  });
});
