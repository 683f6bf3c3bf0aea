/** The questions that may take long, facets and full text, over one connection. Runs in the reader thread. */
import { words } from '../../domain/words.ts';
import type { Json } from '../../ports/event-store.ts';
import type { Document, Filter, Scope, TextQuery } from '../../ports/read-models.ts';
import { where } from './read-models-filter.ts';
import { checkLimit } from './read-models-page.ts';
import { jsonPath } from './read-models-path.ts';
import { documentsTable, textTable, type Table } from './read-models-schema.ts';
import { DOCUMENT_COLUMNS, toDocument, type Row, type Statements } from './read-models-statements.ts';
import { expressions } from './read-models-text.ts';

export interface FacetQuery {
  readonly scope: Scope;
  readonly filter?: Filter;
  readonly path: string;
  readonly limit: number;
}

export function facets(
  statements: Statements,
  table: Table,
  query: FacetQuery,
): readonly { readonly value: Json; readonly count: number }[] {
  checkLimit(query.limit);
  const path = jsonPath(query.path);
  const asked = where(table, query);
  const text = `
    SELECT element.type AS type,
      CASE WHEN element.type IN ('integer', 'real') THEN CAST(element.value AS REAL) ELSE element.value END AS value,
      count(DISTINCT docs.doc) AS count
    FROM ${documentsTable(table.number)} AS docs, json_each(docs.data, ${path}) AS element
    WHERE ${asked.text} AND element.type <> 'null' AND json_type(docs.data, ${path}) <> 'object'
    GROUP BY 1, 2 ORDER BY 3 DESC, 2, 1 LIMIT ?`;
  return statements
    .rows({ text, values: [...asked.values, query.limit] })
    .map((row) => ({ value: facetValue(row), count: Number(row['count']) }));
}

function facetValue({ type, value }: Row): Json {
  if (type === 'true' || type === 'false') return type === 'true';
  if (type === 'text') return String(value);
  return type === 'object' || type === 'array' ? (JSON.parse(String(value)) as Json) : Number(value);
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
