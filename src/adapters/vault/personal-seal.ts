/** The text form of sealed personal data: `sealed:v1:` and base64url of the key's generation, nonce, ciphertext and tag. */
import { SealBroken } from '../../ports/vault.ts';
import { seal, unseal } from './sealing.ts';

/** A subject's own key. A subject that is sealed for again after it was forgotten gets the next generation. */
export interface PersonalKey {
  readonly generation: number;
  readonly key: Uint8Array;
}

export interface PersonalSeal {
  readonly generation: number;
  readonly sealed: Uint8Array;
}

const prefix = 'sealed:v1:';
const generationBytes = 4;

export function writeSeal(subject: string, { generation, key }: PersonalKey, plaintext: string): string {
  const head = Buffer.alloc(generationBytes);
  head.writeUInt32BE(generation);
  const sealed = seal(key, binding(subject, generation), Buffer.from(plaintext));
  return prefix + Buffer.concat([head, sealed]).toString('base64url');
}

/** @throws {SealBroken} when the text is none of {@link writeSeal}'s */
export function readSeal(text: string): PersonalSeal {
  const encoded = text.slice(prefix.length);
  const bytes = Buffer.from(encoded, 'base64url');
  // Decoding skips what is no base64url and the spare bits of the last character: only the one true spelling is accepted.
  const damaged = !text.startsWith(prefix) || bytes.toString('base64url') !== encoded;
  if (damaged || bytes.length <= generationBytes) throw new SealBroken('this is no sealed text');
  return { generation: bytes.readUInt32BE(), sealed: bytes.subarray(generationBytes) };
}

/** @throws {SealBroken} when the text is damaged, another subject's or of another generation */
export function openSeal(subject: string, { generation, key }: PersonalKey, text: PersonalSeal): string {
  if (text.generation !== generation) throw new SealBroken('the text was sealed under another key');
  return unseal(key, binding(subject, generation), text.sealed).toString();
}

function binding(subject: string, generation: number): readonly unknown[] {
  return ['personal', subject, generation];
}
