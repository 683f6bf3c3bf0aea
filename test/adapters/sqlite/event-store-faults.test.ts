import { expect } from 'chai';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { openBatches } from '../../../src/adapters/sqlite/event-store-batches.ts';
import { outcome } from '../../../src/adapters/sqlite/event-store-messages.ts';
import {
  openForWriting,
  prepareLog,
  UnreadableLog,
} from '../../../src/adapters/sqlite/event-store-schema.ts';
import { openSqliteEventStore } from '../../../src/adapters/sqlite/event-store.ts';
import {
  DamagedEvent,
  StoreUnavailable,
  type EventStore,
  type RecordedEvent,
} from '../../../src/ports/event-store.ts';
import { event, events, failure, readToEnd, until } from '../../contract/event-store-given.ts';

describe('the event store on SQLite, when something fails', () => {
  let folder: string;
  let path: string;
  let store: EventStore | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-log-'));
    path = join(folder, 'log.sqlite');
  });
  afterEach(async () => {
    await store?.close();
    store = undefined;
    await rm(folder, { recursive: true });
  });

  /** As an administrator with the sqlite3 shell would. */
  function tamper(sql: string): void {
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
  }

  describe('durability', () => {
    it('writes through a connection that syncs at every commit', () => {
      prepareLog(path);
      const database = openForWriting(path);
      expect(database.prepare('PRAGMA synchronous').get()).to.include({ synchronous: 2 });
      expect(database.prepare('PRAGMA journal_mode').get()).to.include({ journal_mode: 'wal' });
      database.close();
    });

    it('acknowledges after the commit: not while another holds it up, and then others see it', async () => {
      store = await openSqliteEventStore({ path });
      let unhindered = 0;
      let done = false;
      void store.append('zero', 'none', events(1)).then(() => (done = true));
      await until(() => (unhindered += 1) > 0 && done);
      const other = new DatabaseSync(path);
      other.exec('BEGIN IMMEDIATE');
      let acknowledged = false;
      const append = store.append('one', 'none', events(1)).then(() => (acknowledged = true));
      // Far longer than it takes when nobody holds it up.
      for (let turn = 0; turn < 10 * unhindered; turn += 1) await setImmediate();
      expect(acknowledged).to.equal(false);
      other.exec('COMMIT');
      await append;
      expect(other.prepare('SELECT count(*) AS count FROM events').get()).to.include({ count: 2 });
      other.close();
    });
  });

  describe('a full disk', () => {
    const big = (): ReturnType<typeof event> => event({ data: { text: 'x'.repeat(20_000) } });

    it('fails appends whole, and takes them again once there is room', async () => {
      store = await openSqliteEventStore({ path, maxPages: 100 });
      const full = store;
      let written = 0;
      const fill = async (): Promise<never> => {
        for (;;) {
          await full.append('full', written === 0 ? 'none' : written - 1, [big(), big()]);
          written += 2;
        }
      };
      await failure(fill(), StoreUnavailable);
      expect(written).to.be.greaterThan(4);
      expect(await full.readStream('full', { limit: 1000 })).to.have.length(written);
      await failure(full.append('full', written - 1, [big(), big()]), StoreUnavailable);

      await full.setRetention('full', { truncateBefore: written - 2 });
      expect(await full.scavenge()).to.deep.equal({ removed: written - 2 });
      const { revision } = await full.append('full', written - 1, [big(), big()]);
      expect(revision).to.equal(written + 1);
      const { events: left } = await readToEnd(full);
      expect(left.map((one) => one.revision)).to.deep.equal([-2, -1, 0, 1].map((i) => written + i));
    });
  });

  describe('a writer thread that dies', () => {
    /** Dies at the first append, ready before. */
    const dying = `const { parentPort } = require('node:worker_threads');
      parentPort.on('message', () => process.exit(1));
      parentPort.postMessage({ kind: 'ready', head: 0 });`;

    it('fails what was pending, and the next append goes to a new one', async () => {
      prepareLog(path);
      const heads: number[] = [];
      let started = 0;
      const batches = await openBatches({
        path,
        now: () => 0,
        onReady: (head) => heads.push(head),
        onCommitted: () => undefined,
        startWorker: (workerData) =>
          started++ === 0
            ? new Worker(dying, { eval: true })
            : new Worker(new URL('../../../src/adapters/sqlite/event-store-writer.ts', import.meta.url), {
                workerData,
              }),
      });
      const append = (stream: string): ReturnType<typeof batches.append> =>
        batches.append(({ counts, texts }) => {
          counts.push(-1, 1);
          texts.push(stream, 'id', 'Happened', '{}', '{}');
        });
      const ends = await Promise.allSettled([append('a'), append('b'), batches.retain('a', {})]);
      for (const end of ends) expect(end).to.have.property('reason').that.is.instanceOf(StoreUnavailable);
      expect(await append('a')).to.deep.equal({ outcome: outcome.appended, revision: 0, place: 1 });
      expect([started, heads]).to.deep.equal([2, [0, 0]]);
      await batches.close();
    });

    it('does not open when the thread cannot work', async () => {
      const broken = openBatches({
        path,
        now: () => 0,
        onReady: () => undefined,
        onCommitted: () => undefined,
        startWorker: () => new Worker('throw new Error("no such luck")', { eval: true }),
      });
      expect((await failure(broken, StoreUnavailable)).message).to.include('no such luck');
    });
  });

  describe('a damaged file', () => {
    it('names the place of an event that is no JSON any more; the others are read', async () => {
      store = await openSqliteEventStore({ path });
      for (const name of ['a', 'b', 'c']) await store.append(name, 'none', events(1));
      await store.close();
      tamper(`UPDATE events SET data = substr(data, 3) WHERE stream = 'b'`);
      store = await openSqliteEventStore({ path });
      for (const reading of [store.readStream('b', { limit: 1 }), store.readAll({ after: null, limit: 9 })]) {
        const damaged = await failure<DamagedEvent>(reading, DamagedEvent);
        expect(damaged.position).to.equal(`${store.logId}:2`);
        expect(damaged.message).to.include(damaged.position).and.include('data');
      }
      expect(await store.readStream('c', { limit: 1 })).to.have.length(1);
    });

    it('refuses a file that is something else, and leaves it as it is', async () => {
      const something = 'something else '.repeat(100);
      await writeFile(path, something);
      expect((await failure(openSqliteEventStore({ path }), UnreadableLog)).message).to.include(path);
      expect(await readFile(path, 'utf8')).to.equal(something);
    });

    it('refuses a file of a newer version with a sentence', async () => {
      await (await openSqliteEventStore({ path })).close();
      tamper(`UPDATE meta SET value = 99 WHERE key = 'schema_version'`);
      expect((await failure(openSqliteEventStore({ path }), UnreadableLog)).message).to.include(
        'newer Slipway',
      );
    });
  });

  describe('a log that is larger than memory should hold', () => {
    it('pages from the file where a subscriber is behind the newest events, and joins them without a seam', async () => {
      store = await openSqliteEventStore({ path });
      const total = 14_000;
      for (let i = 0; i < total; i += 1000)
        await store.append('long', i === 0 ? 'none' : i - 1, events(1000));
      const seen: RecordedEvent[] = [];
      let more: Promise<unknown> | undefined;
      for await (const batch of store.subscribe({ after: null, batchSize: 700 })) {
        seen.push(...batch.events);
        more ??= store.append('long', total - 1, events(100));
        if (seen.length === total + 100) break;
      }
      await more;
      expect(seen.every(({ revision }, i) => revision === i)).to.equal(true);
    });

    it('goes on appending between the chunks of a scavenge', async () => {
      store = await openSqliteEventStore({ path });
      for (let i = 0; i < 5000; i += 1000) await store.append('old', i === 0 ? 'none' : i - 1, events(1000));
      await store.setRetention('old', { maxCount: 1 });
      const order: string[] = [];
      const scavenged = store.scavenge().then(({ removed }) => order.push(`removed ${removed}`));
      await store.append('new', 'none', events(1)).then(() => order.push('appended'));
      await scavenged;
      expect(order).to.deep.equal(['appended', 'removed 4999']);
      const { events: left } = await readToEnd(store);
      expect(left.map(({ stream, revision }) => [stream, revision])).to.deep.equal([
        ['old', 4999],
        ['new', 0],
      ]);
    });

    it('gives its write-ahead log back to the file', async () => {
      store = await openSqliteEventStore({ path });
      for (let i = 0; i < 5000; i += 500) await store.append('long', i === 0 ? 'none' : i - 1, events(500));
      expect((await stat(`${path}-wal`)).size).to.be.lessThan(8 * 1024 * 1024);
      await store.close();
      store = undefined;
      await until(async () => (await stat(`${path}-wal`).catch(() => null)) === null);
    });
  });
});
