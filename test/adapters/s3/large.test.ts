/** What is larger than one part: many requests, one blob. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { openS3Blobs } from '../../../src/adapters/s3/blobs.ts';
import { createSystemClock } from '../../../src/adapters/system-clock.ts';
import { BlobMismatch } from '../../../src/ports/blobs.ts';
import { StoreUnavailable } from '../../../src/ports/event-store.ts';
import { digestOf } from '../../contract/blobs.ts';
import { rejection } from '../../support/rejection.ts';
import { openS3Server, type S3Server } from '../../support/s3-server.ts';
import { until } from '../../support/until.ts';
import { openWireProxy } from '../../support/wire-proxy.ts';

const day = 24 * 3_600_000;
const partBytes = 1000;
const content = randomBytes(3500);
const digest = digestOf(content);
const hash = digest.slice('sha256:'.length);
const key = `${hash.slice(0, 2)}/${hash.slice(2, 4)}/${hash}`;

describe('large blobs on S3', () => {
  let server: S3Server;
  const clock = createSystemClock();
  const open = (endpoint = server.place.endpoint, now = () => clock.now()) =>
    openS3Blobs({ ...server.place, endpoint, clock: { ...clock, now }, partBytes });

  beforeEach(async () => {
    server = await openS3Server();
  });
  afterEach(() => server.stop());

  it('are sent in parts, are there under the name that a folder gives them, and leave nothing else', async () => {
    const blobs = open();
    for (const size of [999, 1000, 1001, 2000, 3500]) {
      const some = content.subarray(0, size);
      expect(await blobs.put(Readable.from([some]))).to.deep.equal({ digest: digestOf(some), size });
      expect((await buffer((await blobs.get(digestOf(some)))!)).equals(some), String(size)).to.be.true;
    }
    // Parts, completions and copies: 999 and 1,000 bytes are one request each.
    expect(server.count('PUT') - 1).to.equal(1 + 1 + 3 + 3 + 5);
    expect(await server.objects())
      .to.have.length(5)
      .and.include(key);
    expect(server.uploads()).to.deep.equal([]);
    await blobs.close();
  });

  it('leave nothing when they are not what was announced, or are too many', async () => {
    const blobs = open();
    const other = digestOf(Buffer.from('other'));
    expect(await rejection(blobs.put(content, { expected: other }))).to.be.instanceOf(BlobMismatch);
    await rejection(blobs.put(content, { maxBytes: 3499 }));
    expect([await server.objects(), server.uploads()]).to.deep.equal([[], []]);
    await blobs.close();
  });

  it('are not taken for stored when the server keeps other bytes than it was sent', async () => {
    const blobs = open();
    server.rot();
    const failure = await rejection(blobs.put(content));
    expect(failure).to.be.instanceOf(StoreUnavailable);
    expect(failure).to.have.property('message').that.includes('other bytes');
    expect([await server.objects(), server.uploads()]).to.deep.equal([[], []]);
    await blobs.close();
  });

  it('are read only as fast as the server takes them', async () => {
    const proxy = await openWireProxy({ host: '127.0.0.1', port: server.port });
    const blobs = open(`http://127.0.0.1:${proxy.port}`);
    try {
      await blobs.put(Buffer.from('the bucket is there'));
      proxy.fault({ kind: 'hold', direction: 'up' });
      let read = 0;
      const source = Readable.from(
        (function* () {
          for (; read < 500; read += 1) yield randomBytes(100);
        })(),
        { highWaterMark: 1 },
      );
      const stored = blobs.put(source);
      await until('a part is gathered', 5000, async () => (read * 100 > partBytes ? true : null));
      const gathered = read;
      await new Promise(setImmediate);
      expect(read).to.equal(gathered).and.to.be.below(20);
      proxy.heal();
      expect(await stored).to.have.property('size', 50_000);
    } finally {
      await blobs.close();
      await proxy.close();
    }
  });

  it('that a process left behind are swept a day later by the next one, and those of the others not', async () => {
    const proxy = await openWireProxy({ host: '127.0.0.1', port: server.port });
    const dying = open(`http://127.0.0.1:${proxy.port}`);
    const stuck = Readable.from(
      (async function* () {
        yield content;
        await until('an upload has begun', 5000, async () => server.uploads()[0] ?? null);
        proxy.fault({ kind: 'refuse' });
        proxy.cut();
        yield content;
      })(),
    );
    try {
      expect(await rejection(dying.put(stuck))).to.be.instanceOf(StoreUnavailable);
      expect(server.uploads()).to.have.length(1);

      const soon = open();
      await soon.put(Buffer.from('soon'));
      expect(server.uploads()).to.have.length(1);
      await soon.close();

      const later = open(undefined, () => clock.now() + day + 60_000);
      await later.put(Buffer.from('later'));
      expect(server.uploads()).to.deep.equal([]);
      await later.close();
    } finally {
      await dying.close();
      await proxy.close();
    }
  });
});
