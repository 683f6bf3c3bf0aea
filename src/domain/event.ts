/** How an aggregate declares its events: a schema each, so that types, validation and upcasting come from one place. */
import type { z } from 'zod';

/**
 * One type of event. `schema` counts up from 1 when the shape of `data` changes; `upcasts[n]` then turns data of schema n into
 * that of n + 1. Stored events never change.
 */
export interface EventSchema<D extends z.ZodType> {
  readonly schema: number;
  readonly data: D;
  readonly upcasts?: Readonly<Record<number, (data: unknown) => unknown>>;
}

export type EventSchemas = Readonly<Record<string, EventSchema<z.ZodType>>>;

/** The union of an aggregate's events: `{ type, data }` each. */
export type EventsOf<S extends EventSchemas> = {
  [T in keyof S & string]: { readonly type: T; readonly data: z.output<S[T]['data']> };
}[keyof S & string];

/** An aggregate's fold: where it starts, what each event does to it. The stream is `{name}-{id}`. */
export interface Aggregate<S, E extends { readonly type: string }> {
  readonly name: string;
  readonly events: EventSchemas;
  readonly initial: S;
  readonly evolve: (state: S, event: E) => S;
  /**
   * Set on aggregates with long streams, whose state must then be JSON: their folds continue from snapshots. Raised whenever
   * the state or `evolve` changes, so that older snapshots are ignored.
   */
  readonly snapshotVersion?: number;
  /** Set where every event tells the whole state: a fold then reads the last one alone, and none is kept in memory. */
  readonly lastTellsAll?: true;
}
