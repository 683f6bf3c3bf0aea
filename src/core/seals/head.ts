/** Signed heads: what is signed, to the byte, and by whom. docs/seals.md says it to strangers. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { z } from 'zod';
import type { Position } from '../../ports/event-store.ts';
import type { SignedHead, SignedMove } from '../../ports/seals.ts';
import type { Vault } from '../../ports/vault.ts';
import { linesOfMove, type Move } from './move.ts';
import { bytesOf, holds } from './signature.ts';

export type Head = Omit<SignedHead, 'key' | 'signature'>;

export const SignedHeadShape = z.strictObject({
  log: z.string().min(1).max(100),
  size: z.int().min(1),
  root: z.string().regex(/^[0-9a-f]{64}$/),
  position: z
    .string()
    .max(200)
    .transform((text) => text as Position),
  at: z.iso.datetime(),
  key: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  signature: z.string().regex(/^[A-Za-z0-9_-]{86}$/),
});

function linesOfHead({ log, size, root, position, at }: Head): readonly string[] {
  return ['slipway seal v1', `log ${log}`, `size ${size}`, `root ${root}`, `last ${position}`, `at ${at}`];
}

export interface Signer {
  /** base64url of the 32 bytes. */
  readonly publicKey: string;
  sign(head: Head): SignedHead;
  signMove(move: Move): SignedMove;
}

const keyName = { kind: 'seal', name: 'ed25519' };

/** The platform's own key, kept in the vault; made at the first call. */
export async function openSigner(vault: Pick<Vault, 'get' | 'putIfAbsent'>): Promise<Signer> {
  const kept = async (): Promise<KeyObject | null> => {
    const der = await vault.get(keyName);
    return der && createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' });
  };
  let key = await kept();
  if (!key) {
    const made = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
    await vault.putIfAbsent(keyName, made);
    // Of two that made one at once, one won.
    key = await kept();
  }
  if (!key) throw new Error('the key of the seals was not kept');
  const secret = key;
  const publicKey = createPublicKey(secret).export({ format: 'jwk' }).x ?? '';
  const signed = (lines: readonly string[]) => ({
    key: publicKey,
    signature: sign(null, bytesOf(lines), secret).toString('base64url'),
  });
  return {
    publicKey,
    sign: (head) => ({ ...head, ...signed(linesOfHead(head)) }),
    signMove: (move) => ({ ...move, ...signed(linesOfMove(move)) }),
  };
}

/** Whether the head was signed with the key that it names. Whose key that is must be known from elsewhere. */
export function isSigned({ key, signature, ...head }: SignedHead): boolean {
  return holds({ key, signature }, linesOfHead(head));
}

/** Null for what is no signed head. Whether its signature holds is another question. */
export function parseHead(value: unknown): SignedHead | null {
  return SignedHeadShape.safeParse(value).data ?? null;
}
