/** A log of a million events (in `npm run test:long`): sealed, proven, verified, backed up, restored, replayed, exported and imported. */
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect } from 'chai';
import { openLogReader } from '../../src/adapters/sqlite/log-reader.ts';
import {
  ConsistencyProof,
  InclusionProof,
  objectionTo,
  objectionToContinuation,
} from '../../src/core/seals/proof.ts';
import { SignedHeadShape } from '../../src/core/seals/head.ts';
import { backUp } from '../../src/custody/backup.ts';
import { exported } from '../../src/custody/export.ts';
import { importLog } from '../../src/custody/import.ts';
import { replayInto } from '../../src/custody/replay.ts';
import { restore } from '../../src/custody/restore.ts';
import { verifyFolder } from '../../src/custody/verified-folder.ts';
import { event } from '../contract/event-store-given.ts';
import { tamper } from '../core/seals/world.ts';
import { runs } from '../support/runs.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { z } from 'zod';

const each = 1_000;
const appends = runs(20, 1_000);
const Seal = z.object({ publicKey: z.string(), head: SignedHeadShape });
const everything = { streams: [], types: [], tenant: null, from: null, to: null };

describe('a long log in custody', function () {
  this.timeout(runs(120_000, 3_600_000));
  let place: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: TestServer;
  let data: string;
  let token: string;
  let backup = '';
  const folder = (name: string): string => join(place.path, name);

  before(async () => {
    place = await temporaryFolder();
    data = folder('data');
    server = await startTestServer({ folder: data });
    token = await server.asRole('PlatformAdmin');
    const { eventStore } = server.server.ports;
    for (let done = 0; done < appends; done += 10)
      await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          eventStore.append(
            `counter-${done + index}`,
            'none',
            Array.from({ length: each }, () => event()),
          ),
        ),
      );
  });
  after(async () => {
    await server.stop();
    await place.remove();
  });

  async function ask(method: string, path: string): Promise<unknown> {
    const { status, body } = await server.call(method, `/api/v1/audit/${path}`, { token });
    expect(status, JSON.stringify(body)).to.equal(200);
    return body;
  }

  async function eventsIn(of: string): Promise<number> {
    const { events } = await verifyFolder(of, Date.now());
    return events;
  }

  /** Opened when the first is asked for: lines that come before anybody listens are lost. */
  async function* lines(file: string): AsyncGenerator<string> {
    yield* createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  }

  it('is sealed, and what is in it is proven', async () => {
    const { publicKey, head: kept } = Seal.parse(await ask('POST', 'seal'));
    expect(kept.size).to.be.greaterThan(appends * each);
    for (const stream of [0, Math.floor(appends / 2), appends - 1]) {
      const proof = InclusionProof.parse(await ask('GET', `proofs/counter-${stream}@${each - 1}`));
      expect(objectionTo(proof, publicKey)).to.equal(null);
    }
    for (const size of [1, 2 ** 13, Math.floor(kept.size / 3), kept.size]) {
      const proof = ConsistencyProof.parse(await ask('GET', `consistency/${size}`));
      const objection = objectionToContinuation(proof, { ...kept, size }, null);
      // Of the others there is no head: what is signed is over another size.
      expect(objection === null, String(size)).to.equal(size === kept.size);
    }
  });

  it('is verified, beside who writes it', async () => {
    const verified = await verifyFolder(data, Date.now());
    expect(verified).to.include({ found: 0 });
    expect(verified.sealed).to.be.greaterThan(appends * each);
  });

  it('is backed up, beside who writes it', async () => {
    const { folder: made, manifest } = await backUp({ data, to: folder('backups'), nowMs: Date.now() });
    backup = made;
    expect(manifest.log.events).to.be.greaterThan(appends * each);
  });

  it('is restored, and cut at a place while it is', async () => {
    const options = { from: backup, data: folder('restored'), replace: false, nowMs: Date.now() };
    expect((await restore({ ...options, until: null })).verified).to.include({ found: 0 });
    const log = openLogReader(join(folder('restored'), 'log.db'));
    const { next } = await log.readAll({ after: null, limit: each });
    log.close();
    const cut = { ...options, data: folder('cut'), until: { position: next } };
    expect((await restore(cut)).verified).to.include({ found: 0, events: each });
  });

  it('is replayed', async () => {
    const { events } = await replayInto({
      ...{ data: folder('restored'), into: folder('again'), part: everything, asked: '{}' },
      ...{ progress: () => undefined, signal: new AbortController().signal },
    });
    expect(events).to.equal(await eventsIn(folder('restored')));
  });

  it('is exported and imported', async () => {
    const log = openLogReader(join(folder('restored'), 'log.db'));
    const options = { format: 'ndjson', redact: false, ...everything } as const;
    await pipeline(
      Readable.from(exported(log, options, () => undefined)),
      createWriteStream(folder('log.ndjson')),
    );
    log.close();
    expect(await importLog(lines(folder('log.ndjson')), folder('imported'), () => undefined)).to.equal(
      await eventsIn(folder('restored')),
    );
  });

  it('has one changed event in it located', async () => {
    tamper(join(folder('restored'), 'log.db'), (db) =>
      db.prepare("UPDATE events SET type = 'Denied' WHERE stream = ? AND revision = 7").run('counter-1'),
    );
    const { found, findings } = await verifyFolder(folder('restored'), Date.now());
    expect([found, findings[0]]).to.deep.include.members([1]);
    expect(findings[0]).to.include({ kind: 'changed', stream: 'counter-1', revision: 7 });
  });
});
