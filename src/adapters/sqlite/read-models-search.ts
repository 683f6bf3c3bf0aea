/** Full-text searches over one connection. Runs in the reader thread, in one transaction a search. */
import { words } from '../../domain/words.ts';
import {
  mostFound,
  UnanswerableQuery,
  type Found,
  type TextMatch,
  type TextPage,
  type TextQuery,
} from '../../ports/read-models.ts';
import { all, condition, conjuncts, visible, type Sql } from './read-models-filter.ts';
import { checkLimit } from './read-models-page.ts';
import { documentsTable, textTable, type Table } from './read-models-schema.ts';
import { DOCUMENT_COLUMNS, toDocument, type Statements } from './read-models-statements.ts';
import { meaningOf } from './read-models-text.ts';
import { factToken } from './read-models-tokens.ts';

const nothing = { found: [], total: 0 };

/**
 * What matches at all is counted first, up to a thousand; then tiers of matches are asked for, the best first, until the page
 * is full. Documents are read for the page alone.
 */
export function search(statements: Statements, table: Table, query: TextQuery): TextPage<object> {
  const { limit, offset = 0 } = query;
  checkLimit(limit);
  if (!Number.isSafeInteger(offset) || offset < 0) throw new UnanswerableQuery(`not an offset: ${offset}`);
  const typed = query.words.flatMap(words);
  if (typed.length === 0 || table.spec.text.length === 0) return nothing;
  const meaning = meaningOf(statements, table.number, typed);
  if (!meaning) return nothing;

  const matching = matcher(statements, table, query);
  const everything = matching(meaning.everything, mostFound);
  const total = everything.length;
  const wanted = Math.min(offset + limit, total);
  const matches = new Map<number, TextMatch>();
  // Of as many as are wanted, those that were found before leave enough: no page lacks anything.
  const fresh = (expression: string): readonly number[] =>
    (expression === meaning.everything ? everything : matching(expression, wanted)).filter(
      (doc) => !matches.has(doc),
    );
  for (const { within, tiers } of meaning.groups) {
    if (matches.size >= wanted) break;
    if (tiers.length > 1 && fresh(within).length === 0) continue;
    for (const { match, expression } of tiers) {
      if (matches.size >= wanted) break;
      for (const doc of fresh(expression)) matches.set(doc, match);
    }
  }
  const page = [...matches].slice(offset, Math.min(offset + limit, mostFound));
  return { found: withDocuments(statements, table, page), total };
}

/** The first documents that have an expression, and all that the query filters by. */
function matcher(
  statements: Statements,
  table: Table,
  { scope, filter }: TextQuery,
): (expression: string, most: number) => readonly number[] {
  const { textFilters = [] } = table.spec;
  const facts: string[] = [];
  const conditions: Sql[] = [visible(table, scope)];
  for (const part of filter ? conjuncts(filter) : []) {
    if ('equal' in part && textFilters.includes(part.equal[0])) facts.push(factToken('equal', ...part.equal));
    else if ('contains' in part && textFilters.includes(part.contains[0]))
      facts.push(factToken('contains', ...part.contains));
    else conditions.push(condition(table, part));
  }
  const narrowed = facts.map((fact) => `"${fact}" AND `).join('');
  const fullText = textTable(table.number);
  const rest = all(conditions.filter(({ text }) => text !== '1'));
  const joined =
    rest.text === '1' ? '' : `JOIN ${documentsTable(table.number)} AS docs ON docs.doc = ${fullText}.rowid`;
  const text = `
    SELECT ${fullText}.rowid AS doc FROM ${fullText} ${joined}
    WHERE ${fullText} MATCH ? AND ${rest.text} ORDER BY ${fullText}.rowid LIMIT ?`;
  return (expression, most) =>
    statements
      .rows({ text, values: [narrowed + expression, ...rest.values, most] })
      .map((row) => Number(row['doc']));
}

function withDocuments(
  statements: Statements,
  { number }: Table,
  page: readonly (readonly [doc: number, match: TextMatch])[],
): readonly Found<object>[] {
  const text = `
    SELECT docs.doc AS doc, ${DOCUMENT_COLUMNS} FROM ${documentsTable(number)} AS docs
    WHERE docs.doc IN (SELECT value FROM json_each(?))`;
  const rows = statements.rows({ text, values: [JSON.stringify(page.map(([doc]) => doc))] });
  const documents = new Map(rows.map((row) => [Number(row['doc']), toDocument(row)]));
  return page.flatMap(([doc, match]) => {
    const document = documents.get(doc);
    return document ? [{ document, match }] : [];
  });
}
