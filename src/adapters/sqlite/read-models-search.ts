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
import { documentsTable, factsTable, textTable, type Table } from './read-models-schema.ts';
import { DOCUMENT_COLUMNS, toDocument, type Statements } from './read-models-statements.ts';
import { tiersOf, type Tier, type Tiers } from './read-models-text.ts';
import { factOf, factToken } from './read-models-tokens.ts';

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
  const tiers = tiersOf(statements, table.number, typed);
  if (!tiers) return nothing;

  const matching = matcher(statements, table, query);
  const everything = matching(tiers.within, mostFound);
  const total = everything.length;
  const wanted = Math.min(offset + limit, total);
  const matches = new Map<number, TextMatch>();
  // Of so many documents, those that better tiers have found already leave as many as are missing.
  const fresh = (expression: string, missing: number): readonly number[] =>
    matching(expression, Math.min(wanted, matches.size + missing)).filter((doc) => !matches.has(doc));
  const look = (tier: Tier | Tiers): void => {
    if (matches.size >= wanted) return;
    if ('match' in tier) {
      const found = tier.expression === tiers.within ? everything : fresh(tier.expression, wanted);
      for (const doc of found) if (!matches.has(doc)) matches.set(doc, tier.match);
    } else if (fresh(tier.within, 1).length > 0) tier.tiers.forEach(look);
  };
  tiers.tiers.forEach(look);
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
