/** Whether an append is in its stream: asked where the server's answer was lost, or may be wrong. Pure. */
import type { ExpectedRevision } from '../../ports/event-store.ts';

/** What a stream shows from where the append should stand, on. */
export interface Found {
  readonly id: string;
  readonly revision: number;
}

export type Settled =
  | { readonly kind: 'appended'; readonly revision: number }
  /** Something else stands in its place, or in a part of it. */
  | { readonly kind: 'taken' }
  /** The stream has not come so far. The append may still be under way. */
  | { readonly kind: 'absent' }
  /** Retention hides the place. */
  | { readonly kind: 'hidden' };

export function firstRevision(expected: ExpectedRevision): number {
  return expected === 'none' ? 0 : expected + 1;
}

/**
 * @param ids of the append's events, in order
 * @param found in order of revision, from the append's first place on, as many as it has events
 * @param last revision of the stream's last event, -1: there is none
 */
export function settle(
  expected: ExpectedRevision,
  ids: readonly string[],
  found: readonly Found[],
  last: number,
): Settled {
  const first = firstRevision(expected);
  if (found.some(({ id, revision }) => ids[revision - first] !== id)) return { kind: 'taken' };
  if (last < first) return { kind: 'absent' };
  const end = first + ids.length - 1;
  // A part of an append cannot be there without the rest, but another append may begin with the same event.
  if (last < end) return { kind: 'taken' };
  // Retention by count may hide the first of them as soon as they are written; the last tells.
  return found.at(-1)?.revision === end ? { kind: 'appended', revision: end } : { kind: 'hidden' };
}
