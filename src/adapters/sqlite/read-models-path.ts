/** Dotted paths into a document's data, for SQLite and for JavaScript. */
import { UnanswerableQuery, type CollectionSpec } from '../../ports/read-models.ts';

/** A path as SQLite's JSON functions read it. The check is also what keeps a path from becoming SQL. */
export function jsonPath(path: string): string {
  if (path.length > 500 || !/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(path)) {
    throw new UnanswerableQuery(`not a path: ${JSON.stringify(path)}`);
  }
  return `'$${path
    .split('.')
    .map((key) => `."${key}"`)
    .join('')}'`;
}

/** Spelt the same in indexes and in queries: that is how SQLite recognises an index over it. */
export function extract(path: string, table = 'docs.'): string {
  return `json_extract(${table}data, ${jsonPath(path)})`;
}

/** As JSON names it, `true` and `false` apart; spelt the same in indexes and in queries, too. */
export function typeOf(path: string, table = 'docs.'): string {
  return `json_type(${table}data, ${jsonPath(path)})`;
}

/** The value at a dotted path; undefined where there is none. */
export function valueAt(data: unknown, path: string): unknown {
  let value = data;
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key)) {
      return undefined;
    }
    value = (value as Readonly<Record<string, unknown>>)[key];
  }
  return value;
}

/** A declaration that breaks the port's rules is a defect, found when it is made and not when it is asked. */
export function checkCollections(collections: readonly CollectionSpec[]): void {
  for (const { name, indexes, text, textFilters = [] } of collections) {
    if (!/^[a-z][a-z0-9_]{0,40}$/.test(name))
      throw new Error(`not a collection's name: ${JSON.stringify(name)}`);
    for (const path of [
      ...indexes.flatMap(({ fields, covers = [] }) => [...fields, ...covers]),
      ...text,
      ...textFilters,
    ])
      jsonPath(path);
    if (indexes.some(({ fields }) => fields.length === 0))
      throw new Error(`${name} has an index without fields`);
  }
}
