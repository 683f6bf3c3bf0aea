/** Documents as they are stored: the data as it is, so that any path of it can be asked for, and tokens of its words. */
import type { JsonObject, Json } from '../../ports/event-store.ts';
import type { CollectionSpec, Document } from '../../ports/read-models.ts';
import { tokensOf } from '../read-models/tokens.ts';

export interface StoredDocument {
  readonly _id: string;
  /** The tenant. */
  readonly t: string | null;
  readonly d: JsonObject;
  /** Tokens of the full text. */
  readonly s?: readonly string[];
  /** Keys in `d` are spelt otherwise. */
  readonly e?: true;
}

/** A field of `d` as MongoDB's queries name it. */
export function field(path: string): string {
  return `d.${path}`;
}

export function toStored(spec: CollectionSpec, { id, tenant, data }: Document): StoredDocument {
  const tokens = spec.text.length > 0 ? { s: [...tokensOf(spec, data).tokens] } : {};
  if (!hasOddKeys(data)) return { _id: id, t: tenant, d: data, ...tokens };
  return { _id: id, t: tenant, d: respelt(data, spell) as JsonObject, ...tokens, e: true };
}

/** Whoever asks knows what the documents of a collection are. */
export function toDocument<D extends object>({ _id: id, t: tenant, d, e }: StoredDocument): Document<D> {
  return { id, tenant, data: (e ? respelt(d, read) : d) as object as D };
}

/**
 * Of a key, what neither server nor driver take for what it is: `$ref` and `$id` make a reference, `_bsontype` another type, and
 * NUL ends a key. No path that is asked for has such a key in it.
 */
const ODD = /^[$~]|^_bsontype$|\0/;
const MARK = '~';

const spell = (key: string): string => (ODD.test(key) ? MARK + JSON.stringify(key) : key);
const read = (key: string): string =>
  key.startsWith(MARK) ? (JSON.parse(key.slice(MARK.length)) as string) : key;

function hasOddKeys(value: Json | undefined): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasOddKeys);
  for (const [key, inner] of Object.entries(value)) if (ODD.test(key) || hasOddKeys(inner)) return true;
  return false;
}

function respelt(value: Json, by: (key: string) => string): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((inner: Json) => respelt(inner, by));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [by(key), respelt(inner, by)]));
}
