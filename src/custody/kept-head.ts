/** A signed head that somebody kept in a file. */
import { readFile } from 'node:fs/promises';
import { Refused } from '../client/api.ts';
import { parseHead } from '../core/seals/head.ts';
import type { SignedHead } from '../ports/seals.ts';

/** What `slipway audit seal --json` said, a head by itself, or lines of heads, of which the last counts. @throws {Refused} */
export async function readHead(file: string): Promise<SignedHead> {
  const text = await readFile(file, 'utf8');
  const head = headIn(text) ?? headIn(text.trimEnd().split('\n').at(-1) ?? '');
  if (!head)
    throw new Refused(
      `${file} holds no signed head: keep what \`slipway audit seal --json\` says, or a line of seals.ndjson.`,
    );
  return head;
}

/** What was kept as JSON: a head, or what it came in. */
export function keptHead(value: unknown): SignedHead | null {
  return parseHead(typeof value === 'object' && value !== null && 'head' in value ? value.head : value);
}

function headIn(text: string): SignedHead | null {
  try {
    return keptHead(JSON.parse(text));
  } catch {
    return null;
  }
}
