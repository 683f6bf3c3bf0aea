/** Passwords as argon2id hashes, off the event loop and a few at a time. */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { createGate } from './gate.ts';

/** What a new password must be: long enough and nothing else (NIST SP 800-63B, 3.1.1.2). */
export const Password = z.string().refine((password) => {
  const length = Array.from(normalized(password)).length;
  return length >= 8 && length <= 256;
}, 'Password must have 8 to 256 characters');

export interface Passwords {
  /** @returns `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. @throws {TooBusy} of gate.ts */
  hash(password: string): Promise<string>;
  /**
   * @param encoded what `hash` returned; null, for a user who is not there: false, after as much work as any other answer
   * @throws {TooBusy} of gate.ts
   */
  verify(password: string, encoded: string | null): Promise<boolean>;
}

interface Hash {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** OWASP's least for argon2id; memory in KiB. */
const cost = { memory: 19_456, passes: 2, parallelism: 1 };
const hashBytes = 32;
const saltBytes = 16;
const encodedForm = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

const runArgon2 = promisify(argon2);

export function createPasswords(): Passwords {
  // Two at once leave half of libuv's four threads to files.
  const gate = createGate({ atOnce: 2, waiting: 100 });
  // Random bytes: no password has this hash.
  const nobody: Hash = { ...cost, salt: randomBytes(saltBytes), hash: randomBytes(hashBytes) };

  function derive(password: string, { memory, passes, parallelism, salt, hash }: Hash): Promise<Buffer> {
    const message = normalized(password);
    const parameters = { message, nonce: salt, memory, passes, parallelism, tagLength: hash.length };
    return gate(() => runArgon2('argon2id', parameters));
  }

  return {
    async hash(password) {
      const salt = randomBytes(saltBytes);
      const hash = await derive(password, { ...cost, salt, hash: Buffer.alloc(hashBytes) });
      const { memory, passes, parallelism } = cost;
      return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(hash)}`;
    },
    async verify(password, encoded) {
      const expected = encoded === null ? nobody : decode(encoded);
      return timingSafeEqual(await derive(password, expected), expected.hash);
    },
  };
}

/** However a keyboard composes its characters, the password is the same. */
function normalized(password: string): string {
  return password.normalize('NFKC');
}

function decode(encoded: string): Hash {
  const [, memory, passes, parallelism, salt, hash] = encodedForm.exec(encoded) ?? [];
  if (salt === undefined || hash === undefined) throw new Error('the password record is no argon2id hash');
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
