/** A stream's retention in the metadata that the server keeps for the stream. Pure. */
import type { Retention } from '../../ports/event-store.ts';

const members = [
  ['maxAgeSeconds', '$maxAge'],
  ['maxCount', '$maxCount'],
  ['truncateBefore', '$tb'],
] as const;

/** The stream's metadata with another retention; access lists and what others keep there stay. */
export function withRetention(
  metadata: Readonly<Record<string, unknown>>,
  retention: Retention,
): Readonly<Record<string, unknown>> {
  const rest = { ...metadata };
  for (const [member, name] of members) {
    const value = retention[member];
    if (value === undefined) Reflect.deleteProperty(rest, name);
    else rest[name] = value;
  }
  return rest;
}

export function retentionOf(metadata: Readonly<Record<string, unknown>>): Retention {
  const found: { -readonly [Member in keyof Retention]: Retention[Member] } = {};
  for (const [member, name] of members) {
    const value = metadata[name];
    if (typeof value === 'number') found[member] = value;
  }
  return found;
}
