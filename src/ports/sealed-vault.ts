/**
 * A vault as it lies on disk, sealed: for moving it from one store to another under the same master key, unread on the way. Nobody who
 * serves requests is given one. `test/contract/sealed-vault.ts` holds every adapter to it.
 */

/** Bytes are as the vault wrote them: another adapter's {@link Vault} opens them under the same master key. */
export type SealedItem =
  /** By which a vault knows its master key; one a vault. */
  | { readonly kind: 'key-check'; readonly sealed: Uint8Array }
  | {
      readonly kind: 'record';
      readonly key: { readonly kind: string; readonly name: string };
      readonly sealed: Uint8Array;
      /** Milliseconds since 1970; null: never. What has expired may be told too. */
      readonly expiresAt: number | null;
    }
  | {
      readonly kind: 'personal-key';
      readonly subject: string;
      readonly generation: number;
      /** Null: the subject was forgotten, and must stay so. */
      readonly sealed: Uint8Array | null;
    };

export interface SealedVault {
  /** All that is there, in any order, a bounded number at a time. Whoever writes meanwhile may be told or not. */
  read(): AsyncIterable<readonly SealedItem[]>;
  /** Removes everything, also the check of the master key. Durable when it resolves. */
  clear(): Promise<void>;
  /** Adds items; one under a name that is taken replaces it. Durable when it resolves. @param items at most 1,000 */
  write(items: readonly SealedItem[]): Promise<void>;
  close(): Promise<void>;
}
