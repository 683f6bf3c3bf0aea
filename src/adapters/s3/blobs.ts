/** {@link Blobs} in a bucket of an S3 server, under the same names as in a folder. */
import { Readable } from 'node:stream';
import type { Client } from 'minio';
import type { BlobDigest, Blobs, BlobStat } from '../../ports/blobs.ts';
import type { Clock } from '../../ports/clock.ts';
import { connect, hasCode, type Connection, type S3Place } from './connection.ts';
import { cut } from './parts.ts';
import { sendInParts, sweep } from './unfinished.ts';

/** The most that a server copies at once (AWS, CopyObject), and so the largest blob. */
const largest = 5 * 1024 ** 3;

export interface S3BlobsOptions extends S3Place {
  readonly clock: Clock;
  /** How long nothing may move on the wire before a call fails. */
  readonly deadlineMs?: number;
  /** What is larger is sent in parts of this size. S3 takes parts of 5 MiB and more, and at most 10,000 of them. */
  readonly partBytes?: number;
}

/** Nothing is asked of the server before the first call: a server that is away fails calls, not the start. */
export function openS3Blobs(options: S3BlobsOptions): Blobs {
  const { bucket, clock, deadlineMs = 30_000, partBytes = 8 * 1024 ** 2 } = options;
  const connection = connect(options, deadlineMs);
  let swept = false;

  async function sweepOnce(): Promise<void> {
    if (swept) return;
    await sweep(connection, bucket, clock);
    swept = true;
  }

  /** What is sent whole is there whole or not at all. The server compares the hash before it answers. */
  async function putAtOnce(bytes: Buffer, digest: BlobDigest): Promise<void> {
    const headers = { 'x-amz-checksum-sha256': base64Of(digest) };
    await connection.ask((client) => client.putObject(bucket, keyOf(digest), bytes, bytes.length, headers));
  }

  /** Servers that know the header hash the whole while they copy, and tell the hash afterwards. */
  async function copyIntoPlace(name: string, { digest, size }: BlobStat): Promise<void> {
    const objectName = keyOf(digest);
    const headers = { 'x-amz-copy-source': `/${bucket}/${name}`, 'x-amz-checksum-algorithm': 'SHA256' };
    await connection.ask((client) =>
      client.makeRequestAsyncOmit({ method: 'PUT', bucketName: bucket, objectName, headers }),
    );
    const kept = await connection.find((client) => head(client, bucket, objectName));
    if (kept?.size === size && (kept.sha256 ?? base64Of(digest)) === base64Of(digest)) return;
    await connection.ask((client) => client.removeObject(bucket, objectName));
    throw connection.failure(new Error('the server keeps other bytes than it was sent'));
  }

  return {
    async put(content, limits = {}) {
      const maxBytes = Math.min(limits.maxBytes ?? Infinity, largest);
      const parts = cut(content, partBytes, { ...limits, maxBytes });
      try {
        await sweepOnce();
        const first = await parts.next();
        if (first.done) throw new Error('a stream without a last part');
        if (first.value.last === null)
          return await sendInParts(connection, bucket, first.value, parts, copyIntoPlace);
        await putAtOnce(first.value.bytes, first.value.last.digest);
        return first.value.last;
      } finally {
        // Whoever sends the content hears that nobody reads it any more.
        if (content instanceof Readable) content.destroy();
      }
    },
    async get(digest, range) {
      if (!isDigest(digest)) return null;
      const { start = 0, end } = range ?? {};
      const length = end === undefined ? 0 : end - start + 1;
      const answer = await connection.find((client) =>
        client.getPartialObject(bucket, keyOf(digest), start, length).catch((error: unknown) => {
          // It is there, and ends before the range begins.
          if (hasCode(error, 'InvalidRange')) return Readable.from([]);
          throw error;
        }),
      );
      return answer && Readable.from(read(answer, connection), { objectMode: false });
    },
    async stat(digest) {
      if (!isDigest(digest)) return null;
      const kept = await connection.find((client) => head(client, bucket, keyOf(digest)));
      return kept && { digest, size: kept.size };
    },
    async delete(digest) {
      if (!isDigest(digest)) return false;
      // The server answers alike whether it was there or not.
      const kept = await connection.find((client) => head(client, bucket, keyOf(digest)));
      if (!kept) return false;
      await connection.ask((client) => client.removeObject(bucket, keyOf(digest)));
      return true;
    },
    async presign(digest, { expiresInSeconds, filename }) {
      if (!isDigest(digest)) return null;
      const disposition = { 'response-content-disposition': attachment(filename) };
      return connection.ask((client) =>
        client.presignedGetObject(bucket, keyOf(digest), expiresInSeconds, disposition),
      );
    },
    async *all() {
      for await (const { name, size } of connection.list('')) {
        const digest: BlobDigest = `sha256:${name.slice('ab/cd/'.length)}`;
        if (isDigest(digest) && keyOf(digest) === name) yield { digest, size };
      }
    },
    close: async () => connection.close(),
  };
}

function isDigest(digest: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(digest);
}

/** `ab/cd/{hash}`, as in a folder. */
function keyOf(digest: BlobDigest): string {
  const hash = digest.slice('sha256:'.length);
  return `${hash.slice(0, 2)}/${hash.slice(2, 4)}/${hash}`;
}

/** As S3 writes hashes. */
function base64Of(digest: BlobDigest): string {
  return Buffer.from(digest.slice('sha256:'.length), 'hex').toString('base64');
}

/** @returns the hash in base64 where the server knows that of the whole; null where it does not */
async function head(
  client: Client,
  bucket: string,
  objectName: string,
): Promise<{ readonly size: number; readonly sha256: string | null }> {
  const { headers } = await client.makeRequestAsyncOmit({
    ...{ method: 'HEAD', bucketName: bucket, objectName },
    headers: { 'x-amz-checksum-mode': 'ENABLED' },
  });
  const sha256 = headers['x-amz-checksum-sha256'];
  // `…-3` is the hash of the hashes of three parts.
  const ofWhole = typeof sha256 === 'string' && !sha256.includes('-');
  return { size: Number(headers['content-length']), sha256: ofWhole ? sha256 : null };
}

/** What breaks off on the way is the store's failure, not the end. */
async function* read(answer: Readable, connection: Connection): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw connection.failure(error);
  }
}

/** RFC 6266. Our names of packages are ASCII; what no header may hold becomes `_`. */
function attachment(filename: string): string {
  return `attachment; filename="${filename.replaceAll(/[^\w. +-]/g, '_')}"`;
}
