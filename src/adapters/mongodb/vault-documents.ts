/** How a vault lies in MongoDB. */
import type { Binary } from 'mongodb';
import type { VaultKey } from '../../ports/vault.ts';

export interface VaultRecordDocument {
  readonly _id: string;
  readonly kind: string;
  readonly name: string;
  readonly sealed: Binary;
  readonly expiresAt: Date | null;
}

export interface PersonalKeyDocument {
  /** The subject. */
  readonly _id: string;
  readonly generation: number;
  /** Null once the subject is forgotten. */
  readonly sealed: Binary | null;
}

export interface VaultMetaDocument {
  readonly _id: string;
  readonly value: Binary;
}

export const vaultCollections = {
  meta: 'vault_meta',
  records: 'vault_records',
  personalKeys: 'vault_personal_keys',
} as const;

export const keyCheckId = 'key-check';

export function idOfRecord({ kind, name }: VaultKey): string {
  return JSON.stringify([kind, name]);
}
