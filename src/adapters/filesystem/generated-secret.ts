/** Secrets that a setting gives, or that the first start makes up and keeps in a file of the data folder. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hasCode, writeSecretFile } from './durable.ts';

/** A setting, or the file of a secret, is not what it should be. The message names which, and never shows it. */
export class UnusableSecret extends Error {
  override readonly name = 'UnusableSecret';
}

/** The text in the file; where there is none yet, base64 of fresh random bytes, kept there (mode 0600) for the next start. */
export async function readOrGenerate(path: string, bytes: number): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  const secret = randomBytes(bytes).toString('base64');
  await writeSecretFile(path, `${secret}\n`);
  return secret;
}
