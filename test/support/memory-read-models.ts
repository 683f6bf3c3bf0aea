/** Read models in memory, as far as projectors and processes need them: no facets and no search. */
import { matches, sees, sorted } from '../contract/read-models-reference.ts';
import { StaleFence, UnanswerableQuery } from '../../src/ports/read-models.ts';
import type {
  Checkpoint,
  CollectionSpec,
  Document,
  DocumentPage,
  Generation,
  Query,
  ReadModels,
  Scope,
} from '../../src/ports/read-models.ts';

interface MemoryGeneration extends Generation {
  active: boolean;
  checkpoint: Checkpoint | null;
  fence: number;
  readonly collections: Map<string, { readonly spec: CollectionSpec; documents: Map<string, Document> }>;
}

/** What survives a restart: give it to the next `openMemoryReadModels` to simulate one. */
export type MemoryModels = Map<string, MemoryGeneration>;

export function openMemoryReadModels(kept: MemoryModels = new Map()): ReadModels {
  const keyOf = ({ projection, version }: Generation): string => `${projection}@${version}`;

  function generationOf(generation: Generation): MemoryGeneration {
    const found = kept.get(keyOf(generation));
    if (!found) throw new Error(`${keyOf(generation)} was not declared`);
    return found;
  }

  function show(generation: Generation, fence: number | undefined): void {
    const target = generationOf(generation);
    if (fence === undefined) return;
    if (fence < target.fence) throw new StaleFence(`${fence} is over, ${target.fence} was shown`);
    target.fence = fence;
  }

  function activeCollection(name: string) {
    const found = [...kept.values()].find(({ active, collections }) => active && collections.has(name));
    return found?.collections.get(name) ?? null;
  }

  function asked(name: string, { scope, filter }: Pick<Query, 'scope' | 'filter'>): readonly Document[] {
    const collection = activeCollection(name);
    if (!collection) return [];
    const { spec, documents } = collection;
    return [...documents.values()].filter(
      (document) => sees(spec, scope, document) && matches(document.data, filter),
    );
  }

  function unanswerable(): never {
    throw new UnanswerableQuery('these read models have no facets and no search');
  }

  return {
    async declare(generation, collections) {
      const { projection, version } = generation;
      const known = kept.get(keyOf(generation));
      const fresh = {
        projection,
        version,
        active: false,
        checkpoint: null,
        fence: 0,
        collections: new Map(),
      };
      const target: MemoryGeneration = known ?? fresh;
      for (const spec of collections) {
        const documents = target.collections.get(spec.name)?.documents ?? new Map<string, Document>();
        target.collections.set(spec.name, { spec, documents });
      }
      kept.set(keyOf(generation), target);
    },
    generations: async () => [...kept.values()],
    async activate(generation, fence) {
      show(generation, fence);
      for (const other of [...kept.values()])
        if (other.projection === generation.projection && other.version !== generation.version)
          kept.delete(keyOf(other));
      generationOf(generation).active = true;
    },
    fence: async (generation, fence) => show(generation, fence),
    async reset(generation, fence) {
      show(generation, fence);
      const target = generationOf(generation);
      for (const collection of target.collections.values()) collection.documents = new Map();
      target.checkpoint = null;
    },
    async commit(generation, writes, checkpoint, fence) {
      show(generation, fence);
      const target = generationOf(generation);
      for (const write of writes) {
        const name = 'put' in write ? write.put.collection : write.delete.collection;
        const documents = target.collections.get(name)?.documents;
        if (!documents) throw new Error(`${name} was not declared`);
        if ('put' in write) documents.set(write.put.document.id, write.put.document);
        else documents.delete(write.delete.id);
      }
      target.checkpoint = checkpoint;
    },
    async load(generation, collection, ids) {
      const documents = generationOf(generation).collections.get(collection)?.documents;
      return ids.flatMap((id) => documents?.get(id) ?? []);
    },
    async get<D extends object>(collection: string, id: string, scope: Scope) {
      const active = activeCollection(collection);
      const found = active?.documents.get(id);
      return found && active && sees(active.spec, scope, found) ? (found as Document<D>) : null;
    },
    async find<D extends object>(collection: string, query: Query) {
      const found = sorted(asked(collection, query), query.sort);
      const start = query.cursor === undefined ? (query.offset ?? 0) : Number(query.cursor);
      const end = start + query.limit;
      const page: DocumentPage<object> = {
        documents: found.slice(start, end),
        ...(found.length > end && { cursor: String(end) }),
      };
      return page as DocumentPage<D>;
    },
    count: async (collection, query) => asked(collection, query).length,
    facets: unanswerable,
    search: unanswerable,
    close: async () => undefined,
  };
}
