/** A vault in memory, unsealed: what is kept in it must be as good as nothing. */
import { createHash } from 'node:crypto';
import type { Clock } from '../../src/ports/clock.ts';
import { SealBroken, type Vault, type VaultKey } from '../../src/ports/vault.ts';

interface Kept {
  readonly key: VaultKey;
  readonly value: Uint8Array;
  readonly expiresAt: number;
}

export function openMemoryVault(clock: Pick<Clock, 'now'>): Vault {
  const kept = new Map<string, Kept>();
  const forgotten = new Set<string>();
  const nameOf = ({ kind, name }: VaultKey): string => JSON.stringify([kind, name]);
  const lives = (one: Kept | undefined): one is Kept => one !== undefined && one.expiresAt > clock.now();
  const vault: Vault = {
    async put(key, value, options) {
      kept.set(nameOf(key), { key, value, expiresAt: options?.expiresAt?.getTime() ?? Infinity });
    },
    async putIfAbsent(key, value, options) {
      if (lives(kept.get(nameOf(key)))) return false;
      await vault.put(key, value, options);
      return true;
    },
    async get(key) {
      const found = kept.get(nameOf(key));
      return lives(found) ? found.value : null;
    },
    async delete(key) {
      const found = lives(kept.get(nameOf(key)));
      kept.delete(nameOf(key));
      return found;
    },
    names: async (kind, prefix = '') =>
      [...kept.values()]
        .filter((one) => lives(one) && one.key.kind === kind && one.key.name.startsWith(prefix))
        .map((one) => one.key.name)
        .sort(),
    async purge() {
      const expired = [...kept.values()].filter((one) => !lives(one));
      for (const { key } of expired) kept.delete(nameOf(key));
      return expired.length;
    },
    async sealFor(subject, plaintext) {
      forgotten.delete(subject);
      return `sealed:v1:${Buffer.from(JSON.stringify([subject, plaintext])).toString('base64url')}`;
    },
    async openFor(subject, sealed) {
      if (forgotten.has(subject)) return null;
      const text = Buffer.from(sealed.replace('sealed:v1:', ''), 'base64url').toString();
      const [of, plaintext] = JSON.parse(text) as readonly [string, string];
      if (of !== subject) throw new SealBroken(`sealed for another than ${subject}`);
      return plaintext;
    },
    async forget(subject) {
      forgotten.add(subject);
    },
    fingerprint: async (purpose, value) => createHash('sha256').update(`${purpose}/${value}`).digest('hex'),
    close: async () => undefined,
  };
  return vault;
}
