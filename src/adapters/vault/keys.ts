/** The keys of a vault, all of one master key, and what its seals are bound to: the same wherever it is kept. */
import type { VaultKey } from '../../ports/vault.ts';
import { deriveKey, seal, sealOnce, unseal } from './sealing.ts';

/** The vault was sealed under another master key than the one given. */
export class WrongMasterKey extends Error {
  override readonly name = 'WrongMasterKey';
}

export interface VaultKeys {
  readonly check: Uint8Array;
  readonly records: Uint8Array;
  readonly personal: Uint8Array;
  readonly fingerprints: Uint8Array;
}

/** @param masterKey 32 random bytes, kept elsewhere. @throws {WrongMasterKey} */
export function vaultKeys(masterKey: Uint8Array): VaultKeys {
  if (masterKey.length !== 32) throw new WrongMasterKey('a master key has 32 bytes');
  return {
    check: deriveKey(masterKey, 'check'),
    records: deriveKey(masterKey, 'records'),
    personal: deriveKey(masterKey, 'personal keys'),
    fingerprints: deriveKey(masterKey, 'fingerprints'),
  };
}

/** The expiry is part of it: whoever can write to the store must not prolong a session. */
export function recordBinding({ kind, name }: VaultKey, expiry: number | null): readonly unknown[] {
  return ['record', kind, name, expiry];
}

export function sealRecord(
  { records }: VaultKeys,
  key: VaultKey,
  value: Uint8Array,
  expiresAt: Date | undefined,
): { readonly sealed: Buffer; readonly expiresAt: number | null } {
  const expiry = expiresAt?.getTime() ?? null;
  return { sealed: sealOnce(records, recordBinding(key, expiry), value), expiresAt: expiry };
}

/** What the first start writes, and every other one opens. */
export function newKeyCheck({ check }: VaultKeys): Buffer {
  return seal(check, ['key-check'], Buffer.from('slipway'));
}

/** @param vault for the message. @throws {WrongMasterKey} */
export function openKeyCheck({ check }: VaultKeys, sealed: Uint8Array, vault: string): void {
  try {
    unseal(check, ['key-check'], sealed);
  } catch {
    throw new WrongMasterKey(`${vault} was sealed under another master key`);
  }
}
