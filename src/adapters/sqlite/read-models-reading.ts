/** The questions that may take long, facets and full text, over one connection. Runs in the reader thread. */
import { words } from '../../domain/words.ts';
import type { Json } from '../../ports/event-store.ts';
import type { Document, Filter, Scope, TextQuery } from '../../ports/read-models.ts';
import { where } from './read-models-filter.ts';
import { checkLimit } from './read-models-page.ts';
import { jsonPath } from './read-models-path.ts';
import { documentsTable, textTable, type Table } from './read-models-schema.ts';
import { DOCUMENT_COLUMNS, toDocument, type Statements } from './read-models-statements.ts';
import { expressions } from './read-models-text.ts';

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

/** Expressions run from strict to lenient until there are enough; within one, FTS5 ranks the weightier fields higher. */
export function search(statements: Statements, table: Table, query: TextQuery): readonly Document[] {
  checkLimit(query.limit);
  const typed = query.words.flatMap(words);
  if (typed.length === 0 || table.spec.text.length === 0) return [];
  const fullText = textTable(table.number);
  const asked = where(table, query);
  const weights = table.spec.text.map((_, column) => (10 / 2 ** column).toFixed(3)).join(', ');
  const documents = documentsTable(table.number);
  // The best are chosen before their documents are read: a common word is in a hundred thousand of them.
  const scoped = asked.text === '1' ? '' : `JOIN ${documents} AS docs ON docs.doc = ${fullText}.rowid`;
  const text = `
    WITH best AS MATERIALIZED (
      SELECT ${fullText}.rowid AS doc, bm25(${fullText}, ${weights}) AS score FROM ${fullText} ${scoped}
      WHERE ${fullText} MATCH ? AND ${asked.text} ORDER BY score, doc LIMIT ?)
    SELECT ${DOCUMENT_COLUMNS} FROM best JOIN ${documents} AS docs ON docs.doc = best.doc ORDER BY best.score, docs.id`;
  const found = new Map<string, Document>();
  for (const expression of expressions(statements, table.number, typed)) {
    if (found.size >= query.limit) break;
    for (const row of statements.rows({ text, values: [expression, ...asked.values, query.limit] })) {
      if (found.size < query.limit) found.set(String(row['id']), toDocument(row));
    }
  }
  return [...found.values()];
}
