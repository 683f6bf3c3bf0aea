/** Dotted paths into a document's data, for SQLite. */
import { checkPath } from '../read-models/path.ts';

/** A path as SQLite's JSON functions read it. The check is also what keeps a path from becoming SQL. */
export function jsonPath(path: string): string {
  checkPath(path);
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
