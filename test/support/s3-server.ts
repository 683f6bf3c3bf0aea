/**
 * An S3 server for tests: @20minutes/s3rver, which checks signatures and keeps objects in a folder, and what it lacks of S3
 * (docs/decisions/0019-minio-and-an-s3-server-for-tests.md): objects that are there whole or not at all, uploads that can be listed and
 * aborted, bodies compared with their signed hash, hashes of objects, and ranges that end at byte 0.
 */
import S3rver, { type Context, type Store } from '@20minutes/s3rver';
import { AsyncLocalStorage } from 'node:async_hooks';
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { S3Place } from '../../src/adapters/s3/connection.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface S3Server {
  readonly port: number;
  readonly place: S3Place;
  /** The names of objects of the place's bucket, in order. */
  objects(): Promise<readonly string[]>;
  /** Names of uploads in parts that were begun and neither completed nor aborted. */
  uploads(): readonly string[];
  /** How many requests of the method it has begun to answer. */
  count(method: string): number;
  /** From now on a byte of what is stored is not what was sent. */
  rot(): void;
  stop(): Promise<void>;
}

const bucket = 'slipway';

/** @param tls PEM; without it, plain HTTP */
export async function openS3Server(tls?: { readonly key: string; readonly cert: string }): Promise<S3Server> {
  const folder = await temporaryFolder();
  const directory = join(folder.path, 'objects');
  const server = new S3rver({
    ...{ address: '127.0.0.1', port: 0, silent: true, directory, vhostBuckets: false },
    ...tls,
  });
  // Requests that are cut off are what tests are about.
  server.on('error', () => undefined);
  const counts = new Map<string, number>();
  const uploads: Uploads = new Map();
  const rotting = { now: false };
  complete(server.store, folder.path, uploads, rotting);
  server.middleware.unshift(async (context, next) => {
    counts.set(context.method, (counts.get(context.method) ?? 0) + 1);
    if (await answered(context, server.store, uploads)) return;
    await signedHash.run(context.headers['x-amz-content-sha256'] ?? '', next);
    if (context.method === 'HEAD' && context.status === 200 && context.headers['x-amz-checksum-mode'])
      context.set('x-amz-checksum-sha256', await hashOf(server.store, context));
  });
  const { port } = await server.run();
  return {
    port,
    place: {
      ...{ endpoint: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`, region: 'us-east-1', bucket },
      ...{ accessKey: 'S3RVER', secretKey: 'S3RVER' },
    },
    async objects() {
      const files = await readdir(join(directory, bucket), { recursive: true }).catch(() => []);
      const suffix = '._S3rver_object';
      return files.flatMap((file) => (file.endsWith(suffix) ? [file.slice(0, -suffix.length)] : [])).sort();
    },
    uploads: () => [...uploads.values()].map(({ key }) => key),
    count: (method) => counts.get(method) ?? 0,
    rot: () => (rotting.now = true),
    async stop() {
      server.httpServer.closeAllConnections();
      await server.close();
      await folder.remove();
    },
  };
}

type Uploads = Map<string, { readonly key: string; readonly initiated: Date }>;

/** What the body of the request that is being answered must hash to; empty: it has none that is stored. */
const signedHash = new AsyncLocalStorage<string>();

function complete(store: Store, scratch: string, uploads: Uploads, rotting: { readonly now: boolean }): void {
  const getObject = store.getObject.bind(store);
  const initiateUpload = store.initiateUpload.bind(store);
  const putObjectMultipart = store.putObjectMultipart.bind(store);
  const changes: Partial<Store> = {
    async putContent(path, content) {
      const temporary = join(scratch, randomUUID());
      const [md5, sha256] = [createHash('md5'), createHash('sha256')];
      let size = 0;
      async function* watched(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
        for await (const chunk of chunks) {
          size += chunk.length;
          for (const hash of [md5, sha256]) hash.update(chunk);
          yield rotting.now ? Buffer.concat([Buffer.from('~'), chunk.subarray(1)]) : chunk;
        }
      }
      try {
        await pipeline(
          Buffer.isBuffer(content) ? Readable.from([content]) : content,
          watched,
          createWriteStream(temporary),
        );
        const signed = signedHash.getStore() ?? '';
        if (signed !== '' && signed !== sha256.digest('hex')) throw new Error('XAmzContentSHA256Mismatch');
        await rename(temporary, path);
        return [size, md5.digest('hex')];
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
    async getObject(of, key, range) {
      if (range?.end !== 0) return getObject(of, key, range);
      const stored = await getObject(of, key, { start: 0, end: 1 });
      if (!stored?.content) return stored;
      const first = (await buffer(stored.content)).subarray(0, 1);
      return Object.assign(stored, { content: Readable.from([first]), range: { start: 0, end: 0 } });
    },
    async initiateUpload(of, key, id, metadata) {
      await initiateUpload(of, key, id, metadata);
      uploads.set(id, { key, initiated: new Date() });
    },
    async putObjectMultipart(of, id, parts) {
      const result = await signedHash.run('', () => putObjectMultipart(of, id, parts));
      uploads.delete(id);
      return result;
    },
  };
  Object.assign(store, changes);
}

/** The two requests that s3rver knows nothing of. */
async function answered(context: Context, store: Store, uploads: Uploads): Promise<boolean> {
  const { searchParams: query } = new URL(context.url, 'http://s3');
  if (context.method === 'GET' && query.has('uploads')) {
    const prefix = query.get('prefix') ?? '';
    const listed = [...uploads].filter(([, { key }]) => key.startsWith(prefix));
    const told = listed.map(
      ([id, { key, initiated }]) =>
        `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${initiated.toISOString()}</Initiated></Upload>`,
    );
    context.type = 'application/xml';
    context.body = `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${told.join('')}</ListMultipartUploadsResult>`;
    return true;
  }
  const id = query.get('uploadId');
  if (context.method !== 'DELETE' || id === null) return false;
  await rm(join(store.getResourcePath(bucket, undefined, 'uploads'), id), { recursive: true, force: true });
  context.status = uploads.delete(id) ? 204 : 404;
  return true;
}

/** Of the object that the path names, as S3 writes hashes. */
async function hashOf(store: Store, { path }: Context): Promise<string> {
  const key = decodeURIComponent(path).split('/').slice(2).join('/');
  const bytes = await readFile(store.getResourcePath(bucket, key, 'object'));
  return createHash('sha256').update(bytes).digest('base64');
}
