/** What a read model is: which events change it, and how. A projector feeds it; see projector.ts. */
import type { RecordedEvent } from '../ports/event-store.ts';
import type { CollectionSpec } from '../ports/read-models.ts';

/** A collection whose documents have the shape `D`. */
export interface Collection<D extends object> extends CollectionSpec {
  /** Never set: carries the type of the documents. */
  readonly document?: D;
}

/** The documents that a projection may touch while it handles an event; all of them are its own. */
export interface Documents {
  get<D extends object>(collection: Collection<D>, id: string): Promise<D | null>;
  put<D extends object>(collection: Collection<D>, id: string, tenant: string | null, data: D): void;
  delete(collection: CollectionSpec, id: string): void;
}

/** Pure but for the documents handed to it: the same events always give the same documents. */
export interface Projection {
  /** `^[a-z][a-z0-9-]*$` */
  readonly name: string;
  /** Raised when documents must be built anew: a rebuild goes on beside what answers, then takes over at once. */
  readonly version: number;
  readonly collections: readonly CollectionSpec[];
  /** By event type. `event.data` has been validated and upcast to its current schema. */
  readonly on: Readonly<Record<string, (event: RecordedEvent, documents: Documents) => void | Promise<void>>>;
}
