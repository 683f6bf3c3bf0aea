/** Questions about elements of arrays: how common one is says which way to an answer is the short one. */
import type { Filter, Scope } from '../../ports/read-models.ts';
import { conjuncts } from '../read-models/query.ts';
import {
  all,
  type Contains,
  hasElements,
  type IsCommon,
  sql,
  type Sql,
  visible,
  where,
} from './read-models-filter.ts';
import { documentsTable, elementsTable, type Table } from './read-models-schema.ts';
import type { Statements } from './read-models-statements.ts';

/** So many documents are looked up and sorted in a few milliseconds. */
const MOST_RARE = 2_000;

/**
 * What many documents have, the first of them in an index have too: to look up all of them only to sort them would take as long
 * as they are many.
 */
export function isCommon(statements: Statements, table: Table): IsCommon {
  const few = `SELECT 1 FROM ${elementsTable(table.number)} WHERE field = ? AND value = ? LIMIT ${MOST_RARE + 1}`;
  return ({ contains: [path, element] }) => {
    const counted = statements
      .prepare(`SELECT count(*) AS count FROM (${few})`)
      .get(path, JSON.stringify(element));
    return Number(counted?.['count']) > MOST_RARE;
  };
}

/**
 * Where elements are all that is asked for, they are counted themselves, without a look at their documents. Otherwise what few
 * documents have leads to them: SQLite would rather walk through an index of all.
 */
export function countStatement(
  table: Table,
  query: { readonly scope: Scope; readonly filter?: Filter },
  isCommon: IsCommon,
): Sql {
  const parts = query.filter ? conjuncts(query.filter) : [];
  const elements = parts.flatMap((part) => ('contains' in part && hasElements(table, part) ? [part] : []));
  const seesAll = visible(table, query.scope).text === '1';
  if (seesAll && elements.length > 0 && elements.length === parts.length)
    return countElements(table, elements);
  const rare = elements.find((element) => !isCommon(element));
  const documents = `${documentsTable(table.number)} AS docs`;
  if (!rare) {
    const { text, values } = where(table, query);
    return { text: `SELECT count(*) AS count FROM ${documents} WHERE ${text}`, values };
  }
  const rest: Filter = { and: parts.filter((part) => part !== rare) };
  const { text, values } = all([among(rare), where(table, { ...query, filter: rest }, isCommon)]);
  const led = `${elementsTable(table.number)} AS led CROSS JOIN ${documents} ON docs.doc = led.doc`;
  return { text: `SELECT count(*) AS count FROM ${led} WHERE ${text}`, values };
}

function among({ contains: [path, element] }: Contains): Sql {
  return sql('field = ? AND value = ?', path, JSON.stringify(element));
}

function countElements({ number }: Table, elements: readonly Contains[]): Sql {
  const [first, ...others] = elements.map(among);
  const table = elementsTable(number);
  const { text, values } = all([
    ...(first ? [first] : []),
    ...others.map((other) => ({ ...other, text: `doc IN (SELECT doc FROM ${table} WHERE ${other.text})` })),
  ]);
  return { text: `SELECT count(*) AS count FROM ${table} WHERE ${text}`, values };
}
