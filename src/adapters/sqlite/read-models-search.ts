/** Full-text searches over one connection. Runs in the reader thread, in one transaction a search. */
import { words } from '../../domain/words.ts';
import type { Found, TextMatch, TextPage, TextQuery } from '../../ports/read-models.ts';
import { checkLimit, checkOffset, conjuncts } from '../read-models/query.ts';
import { rank } from '../read-models/tiers.ts';
import { factOf, factToken } from './read-models-facts.ts';
import { all, condition, visible, type Sql } from './read-models-filter.ts';
import { documentsTable, factsTable, textTable, type Table } from './read-models-schema.ts';
import { DOCUMENT_COLUMNS, toDocument, type Statements } from './read-models-statements.ts';
import { spelt, tiersIn } from './read-models-text.ts';

const nothing = { found: [], total: 0 };

/** Documents are read for the page alone. */
export function search(statements: Statements, table: Table, query: TextQuery): TextPage<object> {
  const { limit, offset = 0 } = query;
  checkLimit(limit);
  checkOffset(offset);
  const typed = query.words.flatMap(words);
  if (typed.length === 0 || table.spec.text.length === 0) return nothing;
  const tiers = tiersIn(statements, table.number, typed);
  if (!tiers) return nothing;
  const matching = matcher(statements, table, query);
  const ranking = rank<number>(tiers, { limit, offset });
  let step = ranking.next();
  while (!step.done) step = ranking.next(matching(spelt(step.value.expression), step.value.most));
  const { page, total } = step.value;
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
    if ('equal' in part && textFilters.includes(part.equal[0])) facts.push(factOf('equal', ...part.equal));
    else if ('contains' in part && textFilters.includes(part.contains[0]))
      facts.push(factOf('contains', ...part.contains));
    else conditions.push(condition(table, part));
  }
  const numbers = facts.map(
    (fact) =>
      statements.prepare(`SELECT number FROM ${factsTable(table.number)} WHERE fact = ?`).get(fact)?.[
        'number'
      ],
  );
  // Of no document.
  if (numbers.includes(undefined)) return () => [];
  const narrowed = numbers.map((number) => `"${factToken(Number(number))}" AND `).join('');
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
