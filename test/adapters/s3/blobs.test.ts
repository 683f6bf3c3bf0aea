import { randomUUID } from 'node:crypto';
import { Client } from 'minio';
import { openS3Blobs } from '../../../src/adapters/s3/blobs.ts';
import type { S3Place } from '../../../src/adapters/s3/connection.ts';
import { createSystemClock } from '../../../src/adapters/system-clock.ts';
import { describeBlobs } from '../../contract/blobs.ts';
import { openS3Server } from '../../support/s3-server.ts';
import { withStore } from '../../support/stores.ts';

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
  const place = (): S3Place => ({
    ...{ endpoint, bucket: `slipway-test-${randomUUID()}` },
    region: process.env['S3_REGION'] ?? 'us-east-1',
    accessKey: process.env['S3_ACCESS_KEY'] ?? '',
    secretKey: process.env['S3_SECRET_KEY'] ?? '',
  });
  for (const [name, sizes] of [
    ['S3_ENDPOINT', {}],
    ['S3_ENDPOINT, in parts of 5 MiB', { partBytes: 5 * 1024 ** 2 }],
  ] as const)
    describeBlobs(name, async () => {
      const of = place();
      return {
        open: async () => openS3Blobs({ ...of, ...sizes, clock }),
        remove: () => removeBucket(of),
      };
    });
});

async function removeBucket({ endpoint, bucket, region, accessKey, secretKey }: S3Place): Promise<void> {
  const { hostname, port, protocol } = new URL(endpoint);
  const client = new Client({
    ...{ endPoint: hostname, useSSL: protocol === 'https:', region, accessKey, secretKey },
    ...(port !== '' && { port: Number(port) }),
  });
  if (!(await client.bucketExists(bucket))) return;
  for await (const { name } of client.listObjectsV2(bucket, '', true) as AsyncIterable<{ name: string }>)
    await client.removeObject(bucket, name);
  await client.removeBucket(bucket);
}
