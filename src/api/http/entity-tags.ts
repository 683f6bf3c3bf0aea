/** `ETag`, and what is compared with it (RFC 9110, 8.8.3 and 13.1). */
import { hash } from 'node:crypto';
import { Problem } from './problem.ts';

export type ConditionalHeader = 'If-Match' | 'If-None-Match';

/** What a header lists: everything, or these. */
export type EntityTags = '*' | readonly EntityTag[];

export interface EntityTag {
  readonly weak: boolean;
  /** Without its quotes. */
  readonly opaque: string;
}

/** What changes with every byte of a body, in 22 characters. */
export function digestOf(bytes: string | Uint8Array): string {
  return hash('sha256', bytes, 'base64url').slice(0, 22);
}

/**
 * `"12.1Wr7…"`: the version, which `If-Match` compares, and what changes with every byte. Without a version: the latter alone.
 * @param digest of {@link digestOf}
 */
export function entityTagOf(digest: string, version: string | number | null): string {
  return version === null ? `"${digest}"` : `"${version}.${digest}"`;
}

/** The version in a tag that {@link entityTagOf} has made; null: it has none. */
export function versionIn({ weak, opaque }: EntityTag): string | null {
  return weak ? null : (/^([\w-]+)\.[\w-]{22}$/.exec(opaque)?.[1] ?? null);
}

/** Spaces are allowed around commas, and empty places between them. */
const next = /[ \t]*(?:,|(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?=,|$))/y;

/**
 * Linear in the length of the text, which Node has freed of spaces around it.
 * @throws {Problem} Invalid, when it is neither `*` nor a list of entity tags
 */
export function parseEntityTags(field: ConditionalHeader, text: string): EntityTags {
  if (text === '*') return '*';
  const tags: EntityTag[] = [];
  next.lastIndex = 0;
  while (next.lastIndex < text.length) {
    const found = next.exec(text);
    if (!found) throw malformed(field);
    if (found[2] !== undefined) tags.push({ weak: found[1] !== undefined, opaque: found[2] });
  }
  if (tags.length === 0) throw malformed(field);
  return tags;
}

function malformed(field: ConditionalHeader): Problem {
  const message =
    'must be an ETag as it was answered, "12.1Wr7…" with its quotes, several after commas, or *';
  return new Problem('Invalid', `${field} ${message}`, { details: [{ field, message }] });
}
