import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { Client } from 'minio';
import { openS3Blobs } from '../../../src/adapters/s3/blobs.ts';
import type { S3Place } from '../../../src/adapters/s3/connection.ts';
import { createSystemClock } from '../../../src/adapters/system-clock.ts';
import { StoreUnavailable } from '../../../src/ports/event-store.ts';
import { describeBlobs, digestOf } from '../../contract/blobs.ts';
import { rejection } from '../../support/rejection.ts';
import { openS3Server } from '../../support/s3-server.ts';
import { withStore } from '../../support/stores.ts';
import { openWireProxy } from '../../support/wire-proxy.ts';

const clock = createSystemClock();

for (const [name, sizes] of [
  ['S3', {}],
  ['S3, what is larger than 1,000 bytes in parts', { partBytes: 1000 }],
] as const)
  describeBlobs(name, async () => {
    const server = await openS3Server();
    return {
      open: async () => openS3Blobs({ ...server.place, ...sizes, clock }),
      remove: () => server.stop(),
    };
  });

withStore('S3_ENDPOINT', 'the server that S3_ENDPOINT names', (endpoint) => {
  const newPlace = (): S3Place => ({
    ...{ endpoint, bucket: `slipway-test-${randomUUID()}` },
    region: process.env['S3_REGION'] ?? 'us-east-1',
    accessKey: process.env['S3_ACCESS_KEY'] ?? '',
    secretKey: process.env['S3_SECRET_KEY'] ?? '',
  });

  describeBlobs('S3_ENDPOINT', async () => {
    const place = newPlace();
    return {
      open: async () => openS3Blobs({ ...place, clock }),
      remove: () => removeBucket(place),
    };
  });

  it('takes large blobs in parts, also after a wire that broke, leaves nothing beside them, and serves them by address', async () => {
    const place = newPlace();
    const { hostname, port, protocol, origin } = new URL(endpoint);
    // Through TLS nobody looks, and certificates are not of the proxy.
    const proxy =
      protocol === 'http:'
        ? await openWireProxy({ host: hostname, port: port === '' ? 80 : Number(port) })
        : null;
    const through = proxy ? `http://127.0.0.1:${proxy.port}` : origin;
    const blobs = openS3Blobs({ ...place, endpoint: through, clock, partBytes: 5 * 1024 ** 2 });
    const content = randomBytes(13 * 1024 ** 2);
    const digest = digestOf(content);
    try {
      if (proxy) {
        await blobs.put(Buffer.from('the bucket is there'));
        proxy.fault({ kind: 'reset', direction: 'up', after: 7 * 1024 ** 2 });
        expect(await rejection(blobs.put(content))).to.be.instanceOf(StoreUnavailable);
        await proxy.struck();
        expect(await blobs.stat(digest)).to.be.null;
      }
      expect(await blobs.put(Readable.from([content]))).to.deep.equal({ digest, size: content.length });
      expect((await buffer((await blobs.get(digest))!)).equals(content)).to.be.true;

      const client = clientOf(place);
      const { uploads } = await client.listIncompleteUploadsQuery(place.bucket, '', '', '', '');
      expect(uploads).to.deep.equal([]);
      const { objects } = await client.listObjectsV2Query(place.bucket, 'unfinished/', '', '', 1000, '');
      expect(objects).to.deep.equal([]);

      const address = (await blobs.presign(digest, { expiresInSeconds: 60, filename: 'a package.zip' }))!;
      const answer = await fetch(address);
      expect(answer.headers.get('content-disposition')).to.equal('attachment; filename="a package.zip"');
      expect(digestOf(new Uint8Array(await answer.arrayBuffer()))).to.equal(digest);
      expect((await fetch(address.replace(/.$/, (last) => (last === '0' ? '1' : '0')))).status).to.equal(403);
    } finally {
      await blobs.close();
      await proxy?.close();
      await removeBucket(place);
    }
  });
});

function clientOf({ endpoint, region, accessKey, secretKey }: S3Place): Client {
  const { hostname, port, protocol } = new URL(endpoint);
  return new Client({
    ...{ endPoint: hostname, useSSL: protocol === 'https:', region, accessKey, secretKey },
    ...(port !== '' && { port: Number(port) }),
  });
}

async function removeBucket(place: S3Place): Promise<void> {
  const client = clientOf(place);
  if (!(await client.bucketExists(place.bucket))) return;
  const { objects } = await client.listObjectsV2Query(place.bucket, '', '', '', 1000, '');
  for (const { name } of objects) if (name !== undefined) await client.removeObject(place.bucket, name);
  await client.removeBucket(place.bucket);
}
