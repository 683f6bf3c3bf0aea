/** Bytes by content: the name of a blob is its SHA-256. `test/contract/blobs.ts` holds every adapter to it. */
import type { Readable } from 'node:stream';

/** `sha256:` and 64 lower-case hex digits. */
export type BlobDigest = `sha256:${string}`;

export interface BlobStat {
  readonly digest: BlobDigest;
  readonly size: number;
}

export interface Blobs {
  /**
   * Stores a stream, durable when it resolves. The same bytes twice are one blob. Nothing is kept when the stream fails.
   * @param limits.maxBytes more than that throws {@link BlobTooLarge}; @param limits.expected a digest that the bytes must have
   */
  put(
    content: Readable | Uint8Array,
    limits?: { readonly maxBytes?: number; readonly expected?: BlobDigest },
  ): Promise<BlobStat>;
  /** The bytes from `start` to `end` (inclusive; default all). Null when there is no such blob. */
  get(
    digest: BlobDigest,
    range?: { readonly start: number; readonly end?: number },
  ): Promise<Readable | null>;
  stat(digest: BlobDigest): Promise<BlobStat | null>;
  /** @returns whether it was there */
  delete(digest: BlobDigest): Promise<boolean>;
  /** A URL that serves the bytes without further credentials until it expires; null where the adapter has none. */
  presign(
    digest: BlobDigest,
    options: { readonly expiresInSeconds: number; readonly filename: string },
  ): Promise<string | null>;
  /** All that are there, in any order, also while others come and go: for moving them elsewhere. */
  all(): AsyncIterable<BlobStat>;
  close(): Promise<void>;
}

export class BlobTooLarge extends Error {
  override readonly name = 'BlobTooLarge';
}
/** The bytes do not have the digest they were announced with. */
export class BlobMismatch extends Error {
  override readonly name = 'BlobMismatch';
}
