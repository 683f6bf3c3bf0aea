/** What the store and its writer thread say to each other. Flat arrays: copying them between threads is most of its cost. */
import type { Retention } from '../../ports/event-store.ts';

export interface WriterOptions {
  readonly path: string;
  readonly maxPages?: number;
}

/** A batch of appends, one after the other. */
export interface PackedAppends {
  /** Two numbers an append: the expected revision (-1: none), how many events. */
  readonly counts: number[];
  /** For each append its stream, then for each of its events id, type, data and metadata (JSON). */
  readonly texts: string[];
}

export type Request =
  | { readonly kind: 'append'; readonly created: number; readonly packed: PackedAppends }
  | { readonly kind: 'retain'; readonly stream: string; readonly retention: Retention }
  | { readonly kind: 'scavenge'; readonly after: string; readonly now: number }
  | { readonly kind: 'close' };

/** How an append ended. `repeated`: it was there already; `conflict`: `revision` is the actual one (-1: none), `place` 0. */
export const outcome = { appended: 0, repeated: 1, conflict: 2 } as const;

export type Answer =
  | { readonly kind: 'ready'; readonly head: number }
  /** For each append: its outcome, the revision and the place in the log of its last event. */
  | { readonly kind: 'appended'; readonly results: readonly number[] }
  | { readonly kind: 'retained' }
  | { readonly kind: 'closed' }
  /** `after` is where to go on; null when it is through. */
  | { readonly kind: 'scavenged'; readonly removed: number; readonly after: string | null }
  | { readonly kind: 'failed'; readonly message: string };
