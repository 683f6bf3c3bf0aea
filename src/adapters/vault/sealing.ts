/** AES-256-GCM under keys derived from the master key: what a vault writes down, and how it opens it again. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { SealBroken } from '../../ports/vault.ts';

const saltBytes = 16;
const nonceBytes = 12;
const tagBytes = 16;

/** @param masterKey 32 uniformly random bytes, so derivation needs no salt: a vault made anew has the same keys */
export function deriveKey(masterKey: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, Buffer.alloc(0), `slipway vault v1 ${purpose}`, 32));
}

/** @param binding what the seal is bound to: opening under any other binding fails. @returns nonce, ciphertext, tag */
export function seal(key: Uint8Array, binding: readonly unknown[], plaintext: Uint8Array): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(JSON.stringify(binding)));
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** @throws {SealBroken} when key, binding or bytes are not those of the sealing */
export function unseal(key: Uint8Array, binding: readonly unknown[], sealed: Uint8Array): Buffer {
  if (sealed.length < nonceBytes + tagBytes) throw new SealBroken('the sealed value is cut short');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceBytes), {
    authTagLength: tagBytes,
  });
  decipher.setAAD(Buffer.from(JSON.stringify(binding)));
  decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
  try {
    return Buffer.concat([
      decipher.update(sealed.subarray(nonceBytes, sealed.length - tagBytes)),
      decipher.final(),
    ]);
  } catch {
    throw new SealBroken('the sealed value cannot be opened: it is damaged, or belongs elsewhere');
  }
}

/**
 * Like {@link seal}, under a key of its own that a fresh salt derives: random nonces wear a key out after 2^32 values, which
 * a server that seals every session and answer would reach. @returns salt, nonce, ciphertext, tag
 */
export function sealOnce(key: Uint8Array, binding: readonly unknown[], plaintext: Uint8Array): Buffer {
  const salt = randomBytes(saltBytes);
  return Buffer.concat([salt, seal(keyOfOne(key, salt), binding, plaintext)]);
}

/** @throws {SealBroken} as {@link unseal} does */
export function unsealOnce(key: Uint8Array, binding: readonly unknown[], sealed: Uint8Array): Buffer {
  return unseal(keyOfOne(key, sealed.subarray(0, saltBytes)), binding, sealed.subarray(saltBytes));
}

function keyOfOne(key: Uint8Array, salt: Uint8Array): Buffer {
  return createHmac('sha256', key).update(salt).digest();
}
