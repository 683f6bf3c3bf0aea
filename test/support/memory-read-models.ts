/** Read models in memory, as far as a projector and simple questions need them: by id, and pages filtered by equality. */
import { valueAt } from '../../src/adapters/sqlite/read-models-path.ts';
import { UnanswerableQuery } from '../../src/ports/read-models.ts';
import type {
  Checkpoint,
  CollectionSpec,
  Document,
  DocumentPage,
  Filter,
  Generation,
  ReadModels,
  Scope,
} from '../../src/ports/read-models.ts';

interface MemoryGeneration extends Generation {
  active: boolean;
  checkpoint: Checkpoint | null;
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

  function activeCollection(name: string) {
    const found = [...kept.values()].find(({ active, collections }) => active && collections.has(name));
    return found?.collections.get(name) ?? null;
  }

  function visible(name: string, scope: Scope): readonly Document[] {
    const collection = activeCollection(name);
    if (!collection) return [];
    const all = [...collection.documents.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    if (scope.kind === 'platform' || collection.spec.visibility === 'public') return all;
    return all.filter(({ tenant }) => tenant === scope.tenant);
  }

  function matches(document: Document, filter: Filter | undefined): boolean {
    if (!filter) return true;
    if ('and' in filter) return filter.and.every((part) => matches(document, part));
    if ('equal' in filter) return valueAt(document.data, filter.equal[0]) === filter.equal[1];
    throw new UnanswerableQuery('these read models answer filters by equality alone');
  }

  function unanswerable(): never {
    throw new UnanswerableQuery('these read models are for tests of the projector');
  }

  return {
    async declare(generation, collections) {
      const { projection, version } = generation;
      const known = kept.get(keyOf(generation));
      const fresh = { projection, version, active: false, checkpoint: null, collections: new Map() };
      const target: MemoryGeneration = known ?? fresh;
      for (const spec of collections) {
        const documents = target.collections.get(spec.name)?.documents ?? new Map<string, Document>();
        target.collections.set(spec.name, { spec, documents });
      }
      kept.set(keyOf(generation), target);
    },
    generations: async () => [...kept.values()],
    async activate(generation) {
      for (const other of [...kept.values()])
        if (other.projection === generation.projection && other.version !== generation.version)
          kept.delete(keyOf(other));
      generationOf(generation).active = true;
    },
    async reset(generation) {
      const target = generationOf(generation);
      for (const collection of target.collections.values()) collection.documents = new Map();
      target.checkpoint = null;
    },
    async commit(generation, writes, checkpoint) {
      const target = generationOf(generation);
      for (const write of writes) {
        const name = 'put' in write ? write.put.collection : write.delete.collection;
        const documents = target.collections.get(name)?.documents;
        if (!documents) throw new Error(`${name} was not declared`);
        if ('put' in write) documents.set(write.put.document.id, structuredClone(write.put.document));
        else documents.delete(write.delete.id);
      }
      target.checkpoint = checkpoint;
    },
    async load(generation, collection, ids) {
      const documents = generationOf(generation).collections.get(collection)?.documents;
      return ids.flatMap((id) => documents?.get(id) ?? []);
    },
    async get<D extends object>(collection: string, id: string, scope: Scope) {
      const found = visible(collection, scope).find((document) => document.id === id);
      return (found as Document<D> | undefined) ?? null;
    },
    async find<D extends object>(collection: string, query: Parameters<ReadModels['find']>[1]) {
      const found = visible(collection, query.scope).filter((document) => matches(document, query.filter));
      const start = query.offset ?? 0;
      const page: DocumentPage<object> = { documents: found.slice(start, start + query.limit) };
      return page as DocumentPage<D>;
    },
    count: async (collection, { scope, filter }) =>
      visible(collection, scope).filter((document) => matches(document, filter)).length,
    facets: unanswerable,
    search: unanswerable,
    close: async () => undefined,
  };
}
