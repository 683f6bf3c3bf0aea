/** The embedded {@link Blobs}: a folder, each blob a file under its own hash. */
import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { glob, mkdir, open, realpath, rename, rm, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { BlobMismatch, BlobTooLarge } from '../../ports/blobs.ts';
import type { BlobDigest, Blobs } from '../../ports/blobs.ts';
import { StoreUnavailable } from '../../ports/event-store.ts';
import { hasCode, syncFolder } from './durable.ts';

/** Opens the folder, made where it is missing, and removes what crashes left unfinished in it. */
export async function openFolderBlobs(options: { readonly folder: string }): Promise<Blobs> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const folder = await realpath(options.folder);
  const unfinished = join(folder, 'unfinished');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });

  /** `ab/cd/{hash}`; null for what is no digest, and so names no file here. */
  function locate(digest: string): string | null {
    const hash = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
    return hash === undefined ? null : join(folder, hash.slice(0, 2), hash.slice(2, 4), hash);
  }

  /** The blob's file, if it is one: links are not followed, wherever they lead. */
  async function openBlob(digest: string): Promise<{ file: FileHandle; size: number } | null> {
    const path = locate(digest);
    if (path === null || !(await leadsHere(path))) return null;
    try {
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
      return { file, size: (await file.stat()).size };
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ELOOP')) return null;
      throw error;
    }
  }

  async function moveIntoPlace(temporary: string, digest: BlobDigest): Promise<void> {
    const path = locate(digest);
    if (path === null) throw new BlobMismatch(`${digest} is no digest`);
    const [inner, outer] = [dirname(path), dirname(dirname(path))];
    await mkdir(inner, { recursive: true, mode: 0o700 });
    if (!(await leadsHere(path))) throw new Error(`${inner} leads out of the blobs' folder`);
    // Also over the same blob: bytes that rotted on disk heal.
    await rename(temporary, path);
    for (const changed of [inner, outer, folder]) await syncFolder(changed);
  }

  return {
    async put(content, limits = {}) {
      const temporary = join(unfinished, randomUUID());
      const file = await orUnavailable(() => open(temporary, 'wx', 0o600));
      try {
        const stored = await receive(content, file, limits).finally(() => file.close());
        await orUnavailable(() => moveIntoPlace(temporary, stored.digest));
        return stored;
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
    async get(digest, range) {
      const blob = await openBlob(digest);
      if (!blob) return null;
      try {
        return blob.file.createReadStream(range);
      } catch (error) {
        await blob.file.close();
        throw error;
      }
    },
    async stat(digest) {
      const blob = await openBlob(digest);
      await blob?.file.close();
      return blob && { digest, size: blob.size };
    },
    async delete(digest) {
      const path = locate(digest);
      if (path === null || !(await leadsHere(path))) return false;
      try {
        await unlink(path);
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return false;
        throw error;
      }
      await syncFolder(dirname(path));
      return true;
    },
    // No route serves a blob without credentials.
    presign: async () => null,
    async *all() {
      for await (const path of glob('??/??/*', { cwd: folder })) {
        const hash = basename(path);
        const digest: BlobDigest = `sha256:${hash}`;
        if (locate(digest) !== join(folder, path)) continue;
        const blob = await openBlob(digest);
        await blob?.file.close();
        if (blob) yield { digest, size: blob.size };
      }
    },
    // Nothing is held open between calls.
    close: async () => undefined,
  };
}

/** Writes all of it to the file, durable. Errors of the content pass as they are. */
async function receive(
  content: Readable | Uint8Array,
  file: FileHandle,
  { maxBytes = Infinity, expected }: { readonly maxBytes?: number; readonly expected?: BlobDigest },
) {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    const bytes = bytesOf(chunk);
    size += bytes.length;
    if (size > maxBytes) throw new BlobTooLarge(`more than the ${maxBytes} bytes that are allowed`);
    hash.update(bytes);
    await orUnavailable(() => file.writeFile(bytes));
  }
  const digest: BlobDigest = `sha256:${hash.digest('hex')}`;
  if (expected !== undefined && digest !== expected) {
    throw new BlobMismatch(`the bytes have the digest ${digest}, not ${expected}`);
  }
  await orUnavailable(() => file.sync());
  return { digest, size };
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === 'string') return Buffer.from(chunk);
  throw new TypeError('a blob is made of bytes');
}

/** Whether a file's folder is there under its own name, with no link on the way that leads elsewhere. */
async function leadsHere(path: string): Promise<boolean> {
  const parent = dirname(path);
  return (await realpath(parent).catch(() => null)) === parent;
}

async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new StoreUnavailable('the blobs cannot be written', { cause: error });
  }
}
