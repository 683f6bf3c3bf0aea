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

/** What a projection does for one event. */
type Handling = (documents: Documents) => void | Promise<void>;

export interface BatchDocuments extends Documents {
  /**
   * Reads at once what each of them asks for first, as a store elsewhere takes its time for every answer. They are begun, and left
   * where they ask: a projection does nothing but to the documents that it is handed.
   */
  foresee(handlings: readonly Handling[]): Promise<void>;
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

  async function read(collection: string, ids: readonly string[]): Promise<void> {
    try {
      const found = await models.load(generation, collection, ids);
      const byId = new Map(found.map((document) => [document.id, document]));
      for (const id of ids) {
        const document = byId.get(id) ?? null;
        kept.set(keyOf(collection, id), { collection, id, document, changed: false });
      }
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
        await read(collection, [id]);
        touched = kept.get(key);
      }
      // A copy: what a handler does to it counts only once it is put. Its collection says that it is a D.
      return touched?.document ? (copyOf(touched.document.data) as object as D) : null;
    },
    async foresee(handlings) {
      const wanted = new Map([...own].map((collection) => [collection, new Set<string>()]));
      for (const handle of handlings) begin(handle, (collection, id) => wanted.get(collection)?.add(id));
      for (const [collection, ids] of wanted) {
        const unread = [...ids].filter((id) => !kept.has(keyOf(collection, id)));
        if (unread.length > 0) await read(collection, unread);
      }
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

/** What goes wrong in it goes wrong once more when it is done, and is dealt with then. */
function begin(handle: Handling, asks: (collection: string, id: string) => void): void {
  const never = new Promise<never>(() => undefined);
  const probe: Documents = {
    get({ name }, id) {
      asks(name, id);
      return never;
    },
    put: () => undefined,
    delete: () => undefined,
  };
  try {
    Promise.resolve(handle(probe)).catch(() => undefined);
  } catch {
    // As above.
  }
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
