/** Objects that have no name of their own yet: uploads in parts, whose hash is known only at their end. */
import { randomUUID } from 'node:crypto';
import type { Client } from 'minio';
import type { BlobStat } from '../../ports/blobs.ts';
import type { Clock } from '../../ports/clock.ts';
import { StoreUnavailable } from '../../ports/event-store.ts';
import type { Connection } from './connection.ts';
import type { Part } from './parts.ts';

const prefix = 'unfinished/';

/** No upload takes that long; what is older was left by a process that died. */
const staleMs = 24 * 3_600_000;

/**
 * Sends all parts, one at a time, and hands the whole to `finish`, under the name it has until then. Whatever fails, nothing of it
 * is left: neither parts nor the whole.
 */
export async function sendInParts(
  connection: Connection,
  bucket: string,
  first: Part,
  rest: AsyncIterator<Part>,
  finish: (name: string, whole: BlobStat) => Promise<void>,
): Promise<BlobStat> {
  const name = `${prefix}${randomUUID()}`;
  try {
    const upload = await connection.ask((client) => client.initiateNewMultipartUpload(bucket, name, {}));
    const sent: { part: number; etag: string }[] = [];
    let piece = first;
    for (;;) {
      const of = { bucket, name, upload, part: sent.length + 1, bytes: piece.bytes };
      sent.push({ part: of.part, etag: await connection.ask((client) => sendPart(client, of)) });
      if (piece.last !== null) break;
      const next = await rest.next();
      if (next.done) throw new Error('a stream without a last part');
      piece = next.value;
    }
    const whole = piece.last;
    await connection.ask((client) => client.completeMultipartUpload(bucket, name, upload, sent));
    await finish(name, whole);
    return whole;
  } catch (error) {
    // Also one whose beginning was never answered.
    await quietly(abortAll(connection, bucket, name, () => true));
    throw error;
  } finally {
    // An upload that seemed to fail may be complete all the same. What fails here is swept a day later.
    await quietly(connection.ask((client) => client.removeObject(bucket, name)));
  }
}

async function sendPart(
  client: Client,
  of: {
    readonly bucket: string;
    readonly name: string;
    readonly upload: string;
    readonly part: number;
    readonly bytes: Buffer;
  },
): Promise<string> {
  const query = `partNumber=${of.part}&uploadId=${encodeURIComponent(of.upload)}`;
  const { headers } = await client.makeRequestAsyncOmit(
    { method: 'PUT', bucketName: of.bucket, objectName: of.name, query },
    of.bytes,
  );
  return (headers.etag ?? '').replaceAll('"', '');
}

/** Removes what processes that died have left. @throws {StoreUnavailable} when the server cannot be reached */
export async function sweep(connection: Connection, bucket: string, clock: Clock): Promise<void> {
  const isStale = (at: Date): boolean => clock.now() - at.getTime() > staleMs;
  await abortAll(connection, bucket, prefix, isStale);
  for await (const { name, lastModified } of connection.list(prefix))
    if (isStale(lastModified)) await connection.ask((client) => client.removeObject(bucket, name));
}

/** Ends uploads in parts whose names begin so. */
async function abortAll(
  connection: Connection,
  bucket: string,
  names: string,
  isMeant: (initiated: Date) => boolean,
): Promise<void> {
  let [key, id] = ['', ''];
  for (let more = true; more;) {
    const page = await connection.ask((client) =>
      client.listIncompleteUploadsQuery(bucket, names, key, id, ''),
    );
    for (const upload of page.uploads)
      if (isMeant(upload.initiated))
        await connection.ask((client) => client.abortMultipartUpload(bucket, upload.key, upload.uploadId));
    [key, id, more] = [page.nextKeyMarker, page.nextUploadIdMarker, page.isTruncated];
  }
}

async function quietly(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
  }
}
