/** Writes documents of one collection, and with each what its side tables hold of it: array elements and words. */
import type { Document } from '../../ports/read-models.ts';
import { valueAt } from '../read-models/path.ts';
import { tokensOf, variants } from '../read-models/tokens.ts';
import { factsOf, factToken } from './read-models-facts.ts';
import {
  documentsTable,
  elementsTable,
  factsTable,
  multiFields,
  textTable,
  variantsTable,
  type Table,
} from './read-models-schema.ts';
import type { Statements } from './read-models-statements.ts';

/** Words remembered as being in the vocabulary already, and numbers of facts; beyond that the file is asked again. */
const REMEMBERED = 50_000;

export interface Indexer {
  put(document: Document): void;
  delete(id: string): void;
  /** Fills empty side tables from the documents. */
  indexAll(): void;
}

export function indexer(statements: Statements, { number, spec }: Table): Indexer {
  const documents = documentsTable(number);
  const fields = multiFields(spec);
  const searchable = [...spec.text, ...(spec.textFilters ?? [])];
  const known = new Set<string>();
  const numbers = new Map<string, number>();

  function indexElements(doc: number, data: object): void {
    for (const field of fields) {
      const value = valueAt(data, field);
      if (!Array.isArray(value)) continue;
      const insert = statements.writing(
        `INSERT OR IGNORE INTO ${elementsTable(number)} (field, value, doc) VALUES (?, ?, ?)`,
      );
      for (const element of value) insert.run(field, JSON.stringify(element), doc);
    }
  }

  function indexText(doc: number, data: object): void {
    if (spec.text.length === 0) return;
    const { tokens, words } = tokensOf(spec, data);
    const facts = factsOf(spec, data);
    statements
      .writing(`INSERT INTO ${textTable(number)} (rowid, tokens) VALUES (?, ?)`)
      .run(doc, [...tokens, ...[...facts].map((fact) => factToken(numberOf(fact)))].join(' '));
    for (const word of words) learn(word);
  }

  function numberOf(fact: string): number {
    const remembered = numbers.get(fact);
    if (remembered !== undefined) return remembered;
    const table = factsTable(number);
    const stored = statements.prepare(`SELECT number FROM ${table} WHERE fact = ?`).get(fact)?.['number'];
    const found = Number(
      stored ?? statements.writing(`INSERT INTO ${table} (fact) VALUES (?)`).run(fact).lastInsertRowid,
    );
    if (numbers.size >= REMEMBERED) numbers.clear();
    numbers.set(fact, found);
    return found;
  }

  /** The vocabulary only grows: a word that no document has any more finds nothing, and a rebuild sheds it. */
  function learn(word: string): void {
    if (known.has(word)) return;
    if (known.size >= REMEMBERED) known.clear();
    known.add(word);
    const insert = statements.writing(
      `INSERT OR IGNORE INTO ${variantsTable(number)} (variant, word) VALUES (?, ?)`,
    );
    if (insert.run(word, word).changes === 0n) return;
    for (const variant of variants(word)) insert.run(variant, word);
  }

  function removeElements(doc: number): void {
    if (fields.length > 0) statements.writing(`DELETE FROM ${elementsTable(number)} WHERE doc = ?`).run(doc);
  }

  function removeText(doc: number): void {
    if (spec.text.length > 0) statements.writing(`DELETE FROM ${textTable(number)} WHERE rowid = ?`).run(doc);
  }

  /** Most changes are to a state or a count and leave the texts, which are dearest to index, as they are. */
  function replace(doc: number, before: string, json: string, tenant: string | null, data: object): void {
    statements.writing(`UPDATE ${documents} SET tenant = ?, data = ? WHERE doc = ?`).run(tenant, json, doc);
    if (fields.length === 0 && spec.text.length === 0) return;
    const old: unknown = JSON.parse(before);
    if (differ(old, data, fields)) {
      removeElements(doc);
      indexElements(doc, data);
    }
    if (differ(old, data, searchable)) {
      removeText(doc);
      indexText(doc, data);
    }
  }

  return {
    put({ id, tenant, data }) {
      const json = JSON.stringify(data);
      const previous = statements.prepare(`SELECT doc, data FROM ${documents} WHERE id = ?`).get(id);
      if (previous) replace(Number(previous['doc']), String(previous['data']), json, tenant, data);
      else {
        const insert = statements.writing(`INSERT INTO ${documents} (id, tenant, data) VALUES (?, ?, ?)`);
        const doc = Number(insert.run(id, tenant, json).lastInsertRowid);
        indexElements(doc, data);
        indexText(doc, data);
      }
    },

    delete(id) {
      const row = statements.writing(`DELETE FROM ${documents} WHERE id = ? RETURNING doc`).get(id);
      if (!row) return;
      removeElements(Number(row['doc']));
      removeText(Number(row['doc']));
    },

    indexAll() {
      for (const row of statements.prepare(`SELECT doc, data FROM ${documents}`).all()) {
        const data = JSON.parse(String(row['data'])) as object;
        indexElements(Number(row['doc']), data);
        indexText(Number(row['doc']), data);
      }
    },
  };
}

function differ(old: unknown, data: object, paths: readonly string[]): boolean {
  return paths.some((path) => JSON.stringify(valueAt(old, path)) !== JSON.stringify(valueAt(data, path)));
}
