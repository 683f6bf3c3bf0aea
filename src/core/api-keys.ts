/** API keys: 256 random bits, of which the vault keeps the hash. Whether a key holds, the stream of its user says. */
import { createHash, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { ApiKeyId, UserId } from '../domain/ids.ts';
import type { Vault } from '../ports/vault.ts';

export interface ApiKeyName {
  readonly userId: UserId;
  readonly keyId: ApiKeyId;
}

export interface ApiKeys {
  /** @returns the key, which nobody can ask for again. Durable when it resolves */
  mint(name: ApiKeyName, expiresAt: Date): Promise<string>;
  /** Whose key it is, whether it holds or not; null when it is none of ours. */
  nameOf(key: string): Promise<ApiKeyName | null>;
}

/** Not a key that holds now: which of the reasons is not said. Faces answer 401. */
export class ApiKeyRefused extends Error {
  override readonly name = 'ApiKeyRefused';
}

const kind = 'api-key';
const form = /^slw_[A-Za-z0-9_-]{43}$/;
const mostRemembered = 10_000;
const Record = z.object({ userId: UserId, keyId: ApiKeyId });

export function createApiKeys(vault: Pick<Vault, 'get' | 'put'>): ApiKeys {
  const known = new LRUCache<string, ApiKeyName>({ max: mostRemembered });
  return {
    async mint(name, expiresAt) {
      const key = `slw_${randomBytes(32).toString('base64url')}`;
      await vault.put({ kind, name: hashOf(key) }, Buffer.from(JSON.stringify(name)), { expiresAt });
      return key;
    },
    async nameOf(key) {
      if (!form.test(key)) return null;
      const hash = hashOf(key);
      const remembered = known.get(hash);
      if (remembered) return remembered;
      const value = await vault.get({ kind, name: hash });
      if (!value) return null;
      const record: unknown = JSON.parse(Buffer.from(value).toString());
      const name = Record.parse(record);
      known.set(hash, name);
      return name;
    },
  };
}

/** One round: 256 random bits need no slow hash. */
function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
