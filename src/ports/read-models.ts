/**
 * Documents that answer questions. Everything in here can be rebuilt from the log; nothing in here decides anything.
 * `test/contract/read-models.ts` holds every adapter to it.
 */
import type { Likeness } from '../domain/words.ts';
import type { Json, JsonObject, Position } from './event-store.ts';

/** A document: its id, the tenant it belongs to (null: the platform's), and its fields. */
export interface Document<D extends object = JsonObject> {
  readonly id: string;
  readonly tenant: string | null;
  readonly data: D;
}

/**
 * Whose documents a question may see. There is no default: isolation of tenants sits here and nowhere else.
 * `platform` sees all; `tenant` sees the documents of that tenant, and, in collections declared `public`, all.
 */
export type Scope = { readonly kind: 'platform' } | { readonly kind: 'tenant'; readonly tenant: string };

/** A declared index: dotted paths into `data`. A `multi` index is over the elements of an array of scalars. */
export interface IndexSpec {
  readonly fields: readonly string[];
  readonly multi?: true;
  /**
   * Paths that this index is filtered by beside the order of its fields, or (of its fields) by whether they are true or false:
   * such conditions are checked without a look at the documents that they leave out.
   */
  readonly covers?: readonly string[];
}

export interface CollectionSpec {
  /** `^[a-z][a-z0-9_]{0,40}$` */
  readonly name: string;
  /** `public`: a tenant's scope sees documents of every tenant (a catalog). `tenant`: only its own. */
  readonly visibility: 'public' | 'tenant';
  readonly indexes: readonly IndexSpec[];
  /** Fields (dotted paths) that `search` looks into, the title first; empty: no full text. */
  readonly text: readonly string[];
  /** Paths that searches are narrowed by: `equal` and `contains` over them cost a search next to nothing. */
  readonly textFilters?: readonly string[];
}

type Scalar = string | number | boolean | null;

/**
 * Conditions on dotted paths into `data`. What is missing is null. A bound of `range` compares with values of its own type
 * only. On an array of scalars, `contains` asks for one element. No index is needed to answer, only to answer fast.
 */
export type Filter =
  | { readonly equal: readonly [path: string, value: Scalar] }
  | { readonly in: readonly [path: string, values: readonly Scalar[]] }
  | {
      readonly range: readonly [
        path: string,
        bounds: { readonly gt?: Scalar; readonly gte?: Scalar; readonly lt?: Scalar; readonly lte?: Scalar },
      ];
    }
  | { readonly contains: readonly [path: string, element: Scalar] }
  | { readonly and: readonly Filter[] }
  | { readonly or: readonly Filter[] };

export interface Query {
  readonly scope: Scope;
  readonly filter?: Filter;
  /**
   * Ties are broken by id, in the order of the last key, so that pages are stable. Default: by id, ascending. Null sorts
   * before everything, strings by code point. A path sorted by holds values of one type (or null) in all documents.
   */
  readonly sort?: readonly { readonly path: string; readonly order: 'asc' | 'desc' }[];
  /** Most documents returned, 1..1,000. */
  readonly limit: number;
  /** Either an offset (default 0) or the `cursor` of the page before. @throws {BadCursor} */
  readonly offset?: number;
  readonly cursor?: string;
}

export interface DocumentPage<D extends object> {
  readonly documents: readonly Document<D>[];
  /** Present when there may be more: give it to the next query with the same filter and sort. */
  readonly cursor?: string;
}

/** Nobody pages through more of what a search found than these. */
export const mostFound = 1_000;

export interface TextQuery {
  readonly scope: Scope;
  readonly filter?: Filter;
  /** Lower-case words; a document matches when every one is a prefix of, or within one typo of, a word in its text. */
  readonly words: readonly string[];
  /** Most documents returned, 1..1,000. */
  readonly limit: number;
  /** Default 0; there is nothing beyond {@link mostFound}. */
  readonly offset?: number;
}

/**
 * How a document has the words that were asked for. The best is what comes first: by `place`, then by `likeness`, each in the
 * order of {@link matchPlaces} and {@link matchLikenesses}, then the shorter titles. What matches equally has an order of the
 * store's own, the same for as long as nothing is written.
 */
export type TextMatch = {
  /** The loosest likeness without which some word would not be found there. */
  readonly likeness: Likeness;
} & (
  | {
      readonly place: 'title';
      /** Words of the title, 1..8: more do not count. */
      readonly length: number;
    }
  | { readonly place: 'partly' | 'elsewhere' }
);

/** Where the words are: all in the first of the text fields, some of them there, none there. */
export const matchPlaces = ['title', 'partly', 'elsewhere'] as const satisfies readonly TextMatch['place'][];
export const matchLikenesses = ['exact', 'prefix', 'typo'] as const satisfies readonly Likeness[];
/** A title with more words is as one with so many. */
export const longestTitle = 8;

export interface Found<D extends object> {
  readonly document: Document<D>;
  readonly match: TextMatch;
}

export interface TextPage<D extends object> {
  /** The best first. Scores are made of the matches above the port, so that every store's answers read alike. */
  readonly found: readonly Found<D>[];
  /** How many match, on all pages, counted up to {@link mostFound}. */
  readonly total: number;
}

/** What one transaction writes. `put` replaces the whole document. */
export type Write =
  | { readonly put: { readonly collection: string; readonly document: Document } }
  | { readonly delete: { readonly collection: string; readonly id: string } };

/** How far a projection has come, bound to the log it came from: a foreign or shortened log is noticed. */
export interface Checkpoint {
  readonly position: Position;
  /** The last event handled, or null before the first. */
  readonly eventId: string | null;
}

/**
 * The collections of one version of one projection. Two versions of a projection are two generations that live side by side:
 * `activate` makes one of them the one that answers, atomically, and drops the others.
 */
export interface Generation {
  readonly projection: string;
  readonly version: number;
}

export interface GenerationState extends Generation {
  readonly active: boolean;
  readonly checkpoint: Checkpoint | null;
}

export interface ReadModels {
  /** Declares a generation and its collections, creating or adapting tables and indexes. Idempotent. */
  declare(generation: Generation, collections: readonly CollectionSpec[]): Promise<void>;
  generations(): Promise<readonly GenerationState[]>;
  /** @param fence of who writes, as of `commit` */
  activate(generation: Generation, fence?: number): Promise<void>;
  /** Empties a generation's collections and forgets its checkpoint. @param fence of who writes, as of `commit` */
  reset(generation: Generation, fence?: number): Promise<void>;
  /**
   * From now on, whoever shows a lower fence writes nothing in the generation: so what is read after it is what that one has left.
   * @throws {StaleFence} when a higher one was shown before
   */
  fence(generation: Generation, fence: number): Promise<void>;

  /**
   * Writes and checkpoint in one transaction: both or neither, at any crash.
   * @param fence of the lease under which it is written (leases.ts), looked at in the same transaction; absent: nobody else can write
   * @throws {StoreUnavailable} (of event-store.ts) when it could not be written; {StaleFence}: nothing was
   */
  commit(
    generation: Generation,
    writes: readonly Write[],
    checkpoint: Checkpoint,
    fence?: number,
  ): Promise<void>;
  /** Documents of a generation, active or not, by id: for the projector alone. Missing ones are absent. */
  load(generation: Generation, collection: string, ids: readonly string[]): Promise<readonly Document[]>;

  // Questions go to the active generation of the collection.
  get<D extends object>(collection: string, id: string, scope: Scope): Promise<Document<D> | null>;
  find<D extends object>(collection: string, query: Query): Promise<DocumentPage<D>>;
  count(collection: string, query: { readonly scope: Scope; readonly filter?: Filter }): Promise<number>;
  /**
   * How many documents have each value of `path` (elements, where it is an array), most frequent first, then in the order
   * of the values. Null is no value. @param query.limit 1..1,000
   */
  facets(
    collection: string,
    query: { readonly scope: Scope; readonly filter?: Filter; readonly path: string; readonly limit: number },
  ): Promise<readonly { readonly value: Json; readonly count: number }[]>;
  search<D extends object>(collection: string, query: TextQuery): Promise<TextPage<D>>;

  close(): Promise<void>;
}

/** Who writes has been replaced: another showed a higher fence. Nothing was written. */
export class StaleFence extends Error {
  override readonly name = 'StaleFence';
}

/** A question that no declared collection or index can answer: a defect of the caller, never of the user. */
export class UnanswerableQuery extends Error {
  override readonly name = 'UnanswerableQuery';
}

/** A cursor that this adapter did not make, or made for another filter or sort. The caller's user may have sent it. */
export class BadCursor extends Error {
  override readonly name = 'BadCursor';
}
