/** Filters and scopes as SQL over a document table that goes by the name `docs`. */
import type { SQLInputValue } from 'node:sqlite';
import type { Filter, Scope } from '../../ports/read-models.ts';
import { extract, jsonPath, typeOf } from './read-models-path.ts';
import { elementsTable, type Table } from './read-models-schema.ts';

export interface Sql {
  readonly text: string;
  readonly values: readonly SQLInputValue[];
}

const never: Sql = { text: '0', values: [] };

export function sql(text: string, ...values: SQLInputValue[]): Sql {
  return { text, values };
}

export function all(conditions: readonly Sql[]): Sql {
  return joined(conditions, ' AND ', '1');
}

function any(conditions: readonly Sql[]): Sql {
  return joined(conditions, ' OR ', '0');
}

function joined(conditions: readonly Sql[], operator: string, none: string): Sql {
  if (conditions.length === 0) return sql(none);
  return {
    text: `(${conditions.map(({ text }) => text).join(operator)})`,
    values: conditions.flatMap(({ values }) => values),
  };
}

/** The one place that decides whose documents a question sees. Every statement that answers one has it. */
export function visible(table: Table, scope: Scope): Sql {
  switch (scope.kind) {
    case 'platform':
      return sql('1');
    case 'tenant':
      return table.spec.visibility === 'public' ? sql('1') : sql('docs.tenant = ?', scope.tenant);
  }
}

export type Contains = Extract<Filter, { readonly contains: unknown }>;

/** Whether so many documents have the element that each is better asked for it than they are looked up by it. */
export type IsCommon = (asked: Contains) => boolean;

const isRare: IsCommon = () => false;

/** What a question asks for, within its scope. */
export function where(
  table: Table,
  query: { readonly scope: Scope; readonly filter?: Filter },
  isCommon = isRare,
): Sql {
  const scope = visible(table, query.scope);
  return query.filter === undefined ? scope : all([scope, condition(table, query.filter, isCommon)]);
}

export function condition(table: Table, filter: Filter, isCommon = isRare): Sql {
  if ('equal' in filter) return equal(...filter.equal);
  if ('in' in filter) return oneOf(...filter.in);
  if ('range' in filter) return range(...filter.range);
  if ('contains' in filter) return contains(table, filter, isCommon);
  if ('and' in filter) return all(filter.and.map((part) => condition(table, part, isCommon)));
  return any(filter.or.map((part) => condition(table, part, isCommon)));
}

type Scalar = string | number | boolean | null;

/** SQLite extracts true as 1 and an array as its text: where that could mislead, the JSON type has a say too. */
function equal(path: string, value: Scalar): Sql {
  const field = extract(path);
  if (value === null) return sql(`${field} IS NULL`);
  if (typeof value === 'boolean') {
    return all([sql(`${field} = ?`, value ? 1 : 0), ofType(path, value ? 'true' : 'false')]);
  }
  const same = sql(`${field} = ?`, value);
  if (isUnmistakable(value)) return same;
  return all([same, typeof value === 'number' ? ofType(path, 'integer', 'real') : ofType(path, 'text')]);
}

function isUnmistakable(value: Scalar): value is string | number {
  if (typeof value === 'string') return !value.startsWith('[') && !value.startsWith('{');
  return typeof value === 'number' && value !== 0 && value !== 1;
}

function oneOf(path: string, values: readonly Scalar[]): Sql {
  const plain = values.filter(isUnmistakable);
  const rest = values.filter((value) => !isUnmistakable(value)).map((value) => equal(path, value));
  if (plain.length === 0) return any(rest);
  const list = sql(`${extract(path)} IN (${plain.map(() => '?').join(', ')})`, ...plain);
  return any([list, ...rest]);
}

const operators = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

/** A bound compares only with values of its own type; null is only ever equal to null. */
function range(path: string, bounds: { readonly [Bound in keyof typeof operators]?: Scalar }): Sql {
  const conditions: Sql[] = [];
  for (const bound of ['gt', 'gte', 'lt', 'lte'] as const) {
    const value = bounds[bound];
    if (value !== undefined) conditions.push(bounded(path, bound, value));
  }
  return all(conditions);
}

function bounded(path: string, bound: keyof typeof operators, value: Scalar): Sql {
  const field = extract(path);
  if (value === null) return bound === 'gte' || bound === 'lte' ? sql(`${field} IS NULL`) : never;
  const compared = `${field} ${operators[bound]} ?`;
  if (typeof value === 'boolean') {
    return all([sql(compared, value ? 1 : 0), ofType(path, 'true', 'false')]);
  }
  // In SQLite every number is below every text: saying so keeps the range in the index within the type.
  return typeof value === 'number'
    ? all([sql(compared, value), sql(`${field} < ''`), ofType(path, 'integer', 'real')])
    : all([sql(compared, value), sql(`${field} >= ''`), ofType(path, 'text')]);
}

function ofType(path: string, ...types: readonly string[]): Sql {
  return sql(`${typeOf(path)} IN (${types.map((type) => `'${type}'`).join(', ')})`);
}

/** Whether the elements of the path stand in a table of their own. */
export function hasElements(table: Table, { contains: [path] }: Contains): boolean {
  return table.spec.indexes.some((index) => index.multi && index.fields.includes(path));
}

function contains(table: Table, asked: Contains, isCommon: IsCommon): Sql {
  const [path, element] = asked.contains;
  if (hasElements(table, asked)) {
    const elements = `FROM ${elementsTable(table.number)} AS elements WHERE field = ? AND value = ?`;
    const text = isCommon(asked)
      ? `EXISTS (SELECT 1 ${elements} AND elements.doc = docs.doc)`
      : `docs.doc IN (SELECT doc ${elements})`;
    return sql(text, path, JSON.stringify(element));
  }
  const [type, value] = elementCondition(element);
  return {
    text: `(${typeOf(path)} = 'array' AND EXISTS (
      SELECT 1 FROM json_each(docs.data, ${jsonPath(path)}) AS element WHERE element.type IN (${type})${value.text}))`,
    values: value.values,
  };
}

function elementCondition(element: Scalar): readonly [types: string, value: Sql] {
  if (element === null) return ["'null'", sql('')];
  if (typeof element === 'boolean') return [`'${String(element)}'`, sql('')];
  const types = typeof element === 'number' ? "'integer', 'real'" : "'text'";
  return [types, sql(' AND element.atom = ?', element)];
}
