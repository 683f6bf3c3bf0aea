/** Dotted paths into a document's data, and what every adapter of read models checks of a declaration. */
import { UnanswerableQuery, type CollectionSpec } from '../../ports/read-models.ts';

/** What keeps a path from becoming part of a query's language. @throws {UnanswerableQuery} */
export function checkPath(path: string): void {
  if (path.length > 500 || !/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(path)) {
    throw new UnanswerableQuery(`not a path: ${JSON.stringify(path)}`);
  }
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
      checkPath(path);
    if (indexes.some(({ fields }) => fields.length === 0))
      throw new Error(`${name} has an index without fields`);
  }
}
