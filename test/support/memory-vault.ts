/** What the core's tests need of a vault, in memory and unsealed. */
import { createHash } from 'node:crypto';
import type { Clock } from '../../src/ports/clock.ts';
import type { Vault, VaultKey } from '../../src/ports/vault.ts';

export type MemoryVault = Pick<Vault, 'put' | 'get' | 'fingerprint'>;

export function openMemoryVault(clock: Pick<Clock, 'now'>): MemoryVault {
  const kept = new Map<string, { readonly value: Uint8Array; readonly expiresAt: number }>();
  const nameOf = ({ kind, name }: VaultKey): string => `${kind}/${name}`;
  return {
    async put(key, value, options) {
      kept.set(nameOf(key), { value, expiresAt: options?.expiresAt?.getTime() ?? Infinity });
    },
    async get(key) {
      const found = kept.get(nameOf(key));
      return found && found.expiresAt > clock.now() ? found.value : null;
    },
    fingerprint: async (purpose, value) => createHash('sha256').update(`${purpose}/${value}`).digest('hex'),
  };
}
