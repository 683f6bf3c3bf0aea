/** A stream cut into parts of one size, counted and hashed on the way; no more than one part and a piece are in memory. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { BlobMismatch, BlobTooLarge, type BlobDigest, type BlobStat } from '../../ports/blobs.ts';

export interface Limits {
  readonly maxBytes?: number;
  readonly expected?: BlobDigest;
}

export interface Part {
  readonly bytes: Buffer;
  /** Of the whole, once its last part is there. @throws {BlobMismatch} */
  readonly last: BlobStat | null;
}

/** At least one part, the last of which may be empty. Errors of the content pass as they are. @throws {BlobTooLarge} {BlobMismatch} */
export async function* cut(
  content: Readable | Uint8Array,
  partBytes: number,
  { maxBytes = Infinity, expected }: Limits,
): AsyncGenerator<Part> {
  const hash = createHash('sha256');
  let size = 0;
  let gathered: Uint8Array[] = [];
  let waiting = 0;
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    const bytes = bytesOf(chunk);
    size += bytes.length;
    if (size > maxBytes) throw new BlobTooLarge(`more than the ${maxBytes} bytes that are allowed`);
    hash.update(bytes);
    gathered.push(bytes);
    waiting += bytes.length;
    // The last byte is held back: whether a part is the last is known only when another byte has come.
    while (waiting > partBytes) {
      const all = whole(gathered);
      yield { bytes: all.subarray(0, partBytes), last: null };
      gathered = [all.subarray(partBytes)];
      waiting -= partBytes;
    }
  }
  const digest: BlobDigest = `sha256:${hash.digest('hex')}`;
  if (expected !== undefined && digest !== expected)
    throw new BlobMismatch(`the bytes have the digest ${digest}, not ${expected}`);
  yield { bytes: whole(gathered), last: { digest, size } };
}

/** Copied only where there is more than one: what came in one piece is cut where it lies. */
function whole(pieces: readonly Uint8Array[]): Buffer {
  const [first, second] = pieces;
  if (first === undefined || second !== undefined) return Buffer.concat(pieces);
  return Buffer.from(first.buffer, first.byteOffset, first.byteLength);
}

function bytesOf(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === 'string') return Buffer.from(chunk);
  throw new TypeError('a blob is made of bytes');
}
