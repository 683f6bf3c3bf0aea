/** Options that all commands have which are clients of a platform. */
import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';

export interface KeyOptions {
  readonly key?: string;
  readonly keyFile?: string;
}

/** The key as it was given, a file's before another; null: none was. @throws when the file cannot be read */
export function keyOf({ key, keyFile }: KeyOptions): string | null {
  return keyFile === undefined ? (key ?? null) : readFileSync(keyFile, 'utf8').trim();
}

/** @returns where the platform is, without a path: `http://127.0.0.1:3000` @throws {InvalidArgumentError} */
export function parseUrl(text: string): string {
  const url = URL.parse(text);
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new InvalidArgumentError('must begin with http:// or https://');
  return url.origin;
}
