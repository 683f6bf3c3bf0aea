/**
 * What must never be an event: credentials, secrets, personal keys. Sealed (AES-256-GCM) under a master key that is kept
 * elsewhere. `test/contract/vault.ts` holds every adapter to it.
 */

/** `kind` groups records of one sort (`password`, `session`, `command-answer`); `name` is unique within it. */
export interface VaultKey {
  readonly kind: string;
  readonly name: string;
}

export interface Vault {
  /** Seals and stores, replacing what was there. The seal is bound to kind and name. Durable when it resolves. */
  put(key: VaultKey, value: Uint8Array, options?: { readonly expiresAt?: Date }): Promise<void>;
  /** Like `put`, but only where nothing (unexpired) is there. @returns whether it stored */
  putIfAbsent(key: VaultKey, value: Uint8Array, options?: { readonly expiresAt?: Date }): Promise<boolean>;
  /** Null when absent or expired. @throws {SealBroken} when it cannot be opened under this master key */
  get(key: VaultKey): Promise<Uint8Array | null>;
  /** @returns whether something was there */
  delete(key: VaultKey): Promise<boolean>;
  /** Names of a kind in order, for listing; never values. */
  names(kind: string, prefix?: string): Promise<readonly string[]>;
  /** Removes what has expired. @returns how many records */
  purge(): Promise<number>;

  /**
   * Seals personal data with the subject's own key (minted on first use) into a self-contained string, `sealed:v1:…`, that
   * may stand in an event. @param subject a user id, or `tenant:{id}`
   */
  sealFor(subject: string, plaintext: string): Promise<string>;
  /** Null once the subject is forgotten. @throws {SealBroken} when the text is damaged or another subject's */
  openFor(subject: string, sealed: string): Promise<string | null>;
  /** Destroys the subject's key: what was sealed with it is unreadable for ever, everywhere. */
  forget(subject: string): Promise<void>;

  /** HMAC-SHA-256 under a key of the vault, hex: a name for a value that must not be readable (an e-mail address). */
  fingerprint(purpose: string, value: string): Promise<string>;

  close(): Promise<void>;
}

export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}
