/** The documents that a batch of events has touched, in memory until they are committed together. */
import type { Json, JsonObject } from '../ports/event-store.ts';
import type { Document, Generation, ReadModels, Write } from '../ports/read-models.ts';
import type { Documents, Projection } from './projection.ts';

interface Touched {
  readonly collection: string;
  readonly id: string;
  /** Null: there is none. */
  readonly document: Document | null;
  readonly changed: boolean;
}

export interface BatchDocuments extends Documents {
  /** What has been put and deleted since the last `keep` becomes part of the batch. */
  keep(): void;
  /** What has been put and deleted since the last `keep` never was. */
  undo(): void;
  /** What the batch changes, once each document. */
  writes(): readonly Write[];
  /** Why documents could not be read, when that is what a handler failed of: no fault of the event. */
  readonly unreadable: unknown;
}

export function openBatchDocuments(
  models: Pick<ReadModels, 'load'>,
  generation: Generation,
  projection: Projection,
): BatchDocuments {
  const own = new Set(projection.collections.map(({ name }) => name));
  const kept = new Map<string, Touched>();
  let fresh = new Map<string, Touched>();
  let unreadable: unknown = null;

  function keyOf(collection: string, id: string): string {
    if (!own.has(collection))
      throw new Error(`${projection.name} does not declare the collection ${collection}`);
    return `${collection}\n${id}`;
  }

  async function read(collection: string, id: string): Promise<Document | null> {
    try {
      const [document] = await models.load(generation, collection, [id]);
      return document ?? null;
    } catch (error) {
      unreadable = error;
      throw error;
    }
  }

  return {
    get unreadable() {
      return unreadable;
    },
    async get<D extends object>({ name: collection }: { readonly name: string }, id: string) {
      const key = keyOf(collection, id);
      let touched = fresh.get(key) ?? kept.get(key);
      if (!touched) {
        touched = { collection, id, document: await read(collection, id), changed: false };
        kept.set(key, touched);
      }
      // A copy: what a handler does to it counts only once it is put. Its collection says that it is a D.
      return touched.document ? (copyOf(touched.document.data) as object as D) : null;
    },
    put({ name: collection }, id, tenant, data) {
      const document = { id, tenant, data: data as object as JsonObject };
      fresh.set(keyOf(collection, id), { collection, id, document, changed: true });
    },
    delete({ name: collection }, id) {
      fresh.set(keyOf(collection, id), { collection, id, document: null, changed: true });
    },
    keep() {
      for (const [key, touched] of fresh) kept.set(key, touched);
      fresh = new Map();
    },
    undo() {
      fresh = new Map();
    },
    writes: () =>
      [...kept.values()]
        .filter(({ changed }) => changed)
        .map(({ collection, id, document }) =>
          document ? { put: { collection, document } } : { delete: { collection, id } },
        ),
  };
}

/** Of JSON: at a fifth of what `structuredClone` takes. */
function copyOf(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map(copyOf);
  const copy: Record<string, Json> = { ...value };
  for (const [name, item] of Object.entries(copy)) {
    if (typeof item === 'object' && item !== null) copy[name] = copyOf(item);
  }
  return copy;
}

/** `Array.isArray` does not know lists that cannot be changed. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
