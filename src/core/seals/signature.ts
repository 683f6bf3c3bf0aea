/** Ed25519 (RFC 8032) over lines, each ended by a line feed. */
import { createPublicKey, verify } from 'node:crypto';

export function bytesOf(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}

/** Whether the key signed these lines. Both are base64url. */
export function holds(
  { key, signature }: { readonly key: string; readonly signature: string },
  lines: readonly string[],
): boolean {
  try {
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key }, format: 'jwk' });
    return verify(null, bytesOf(lines), publicKey, Buffer.from(signature, 'base64url'));
  } catch {
    // What is no point on the curve signed nothing.
    return false;
  }
}
