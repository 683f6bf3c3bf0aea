/** Facets, over one connection. Runs in the reader thread. */
import type { Json } from '../../ports/event-store.ts';
import type { Filter, Scope } from '../../ports/read-models.ts';
import { checkLimit } from '../read-models/query.ts';
import { where } from './read-models-filter.ts';
import { jsonPath } from './read-models-path.ts';
import { documentsTable, type Table } from './read-models-schema.ts';
import type { Statements } from './read-models-statements.ts';

export interface FacetQuery {
  readonly scope: Scope;
  readonly filter?: Filter;
  readonly path: string;
  readonly limit: number;
}

interface Facet {
  readonly value: Json;
  readonly count: number;
}

/** SQLite counts whole values, arrays too, as their JSON; their elements are told apart here, each once a document. */
export function facets(statements: Statements, table: Table, query: FacetQuery): readonly Facet[] {
  checkLimit(query.limit);
  const asked = where(table, query);
  const text = `
    SELECT docs.data -> ${jsonPath(query.path)} AS value, count(*) AS count
    FROM ${documentsTable(table.number)} AS docs WHERE ${asked.text} GROUP BY 1`;
  const counts = new Map<string, number>();
  for (const row of statements.rows({ text, values: asked.values })) {
    const value: unknown = JSON.parse(String(row['value']));
    const elements = Array.isArray(value) ? value : isObject(value) ? [] : [value];
    for (const element of new Set(elements.map((one) => JSON.stringify(one)))) {
      counts.set(element, (counts.get(element) ?? 0) + Number(row['count']));
    }
  }
  counts.delete('null');
  return [...counts]
    .map(([value, count]) => ({ value: JSON.parse(value) as Json, count }))
    .sort((a, b) => b.count - a.count || compareValues(a.value, b.value))
    .slice(0, query.limit);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function compareValues(a: Json, b: Json): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return Buffer.compare(Buffer.from(JSON.stringify(a)), Buffer.from(JSON.stringify(b)));
}
