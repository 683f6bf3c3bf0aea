/** Full-text searches: the words of a collection in a collection of their own, and their tokens in an index of the documents. */
import { MongoBulkWriteError, type Collection, type Db } from 'mongodb';
import { LRUCache } from 'lru-cache';
import { allowsTypo, isOneTypoApart, words } from '../../domain/words.ts';
import type { CollectionSpec, TextPage, TextQuery } from '../../ports/read-models.ts';
import { checkLimit, checkOffset } from '../read-models/query.ts';
import { rank, tiersOf, type Alternatives, type Clause, type Tiers } from '../read-models/tiers.ts';
import { variants } from '../read-models/tokens.ts';
import { CODES } from './errors.ts';
import { all, where, type Condition } from './read-models-filter.ts';
import { toDocument, type StoredDocument } from './read-models-stored.ts';

interface Word {
  readonly _id: string;
  /** What it shares with words within a typo. */
  readonly v: readonly string[];
}

/** A word with more neighbours than this in the vocabulary is searched with the first of them. */
const TYPOS_FOLLOWED = 64;
/** Words remembered as being in a vocabulary already. */
const REMEMBERED = 50_000;

export function wordsOf(db: Db, stored: string): Collection<Word> {
  return db.collection<Word>(`${stored}.words`);
}

export async function createVocabulary(db: Db, stored: string): Promise<void> {
  await wordsOf(db, stored).createIndex({ v: 1 });
}

export interface Vocabulary {
  /** Before documents that have the words: one that no document has finds nothing, and a rebuild sheds it. */
  learn(db: Db, stored: string, words: ReadonlySet<string>): Promise<void>;
}

export function openVocabularies(): Vocabulary {
  const known = new LRUCache<string, true>({ max: REMEMBERED });
  return {
    async learn(db, stored, all) {
      const keyOf = (word: string): string => `${stored} ${word}`;
      const fresh = [...all].filter((word) => !known.has(keyOf(word)));
      if (fresh.length === 0) return;
      const documents = fresh.map((word) => ({ _id: word, v: variants(word) }));
      try {
        await wordsOf(db, stored).insertMany(documents, { ordered: false });
      } catch (error) {
        if (!isOnlyKnown(error)) throw error;
      }
      for (const word of fresh) known.set(keyOf(word), true);
    },
  };
}

function isOnlyKnown(error: unknown): boolean {
  if (!(error instanceof MongoBulkWriteError)) return false;
  const failures = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  return failures.length > 0 && failures.every(({ code }) => code === CODES.duplicateKey);
}

const nothing = { found: [], total: 0 };

/** Documents are read for the page alone. */
export async function search<D extends object>(
  db: Db,
  { stored, spec }: { readonly stored: string; readonly spec: CollectionSpec },
  query: TextQuery,
): Promise<TextPage<D>> {
  const { limit, offset = 0 } = query;
  checkLimit(limit);
  checkOffset(offset);
  const asked = where(spec, query);
  const typed = query.words.flatMap(words);
  if (typed.length === 0 || spec.text.length === 0) return nothing;
  const tiers = await tiersIn(wordsOf(db, stored), typed);
  if (!tiers) return nothing;
  const documents = db.collection<StoredDocument>(stored);
  const ranking = rank<string>(tiers, { limit, offset });
  let step = ranking.next();
  while (!step.done) {
    const { expression, most } = step.value;
    const matching = all([...expression.map(oneOf), asked]);
    const found = documents.find(matching, { projection: { _id: 1 }, sort: { _id: 1 }, limit: most });
    step = ranking.next((await found.toArray()).map(({ _id }) => _id));
  }
  const { page, total } = step.value;
  const read = await documents.find({ _id: { $in: page.map(([id]) => id) } }).toArray();
  const byId = new Map(read.map((document) => [document._id, document]));
  const found = page.flatMap(([id, match]) => {
    const document = byId.get(id);
    return document ? [{ document: toDocument<D>(document), match }] : [];
  });
  return { found, total };
}

/** Words are letters and digits, so nothing in them means anything to an expression. */
function oneOf({ code, words }: Clause): Condition {
  const tokens = words.map(({ word, open }) => (open ? new RegExp(`^${code}${word}`) : code + word));
  return { s: { $in: tokens } };
}

async function tiersIn(vocabulary: Collection<Word>, typed: readonly string[]): Promise<Tiers | null> {
  const similar = await Promise.all(typed.map((word) => neighbours(vocabulary, word)));
  return tiersOf(
    typed,
    typed.map((word) => [{ word, open: true }]),
    similar,
  );
}

/** Words of the vocabulary within one typo, without those that begin like what was typed: they match anyway. */
async function neighbours(vocabulary: Collection<Word>, typed: string): Promise<Alternatives> {
  if (!allowsTypo(typed)) return [];
  const near = vocabulary.find({ v: { $in: [...variants(typed)] } }, { projection: { _id: 1 } });
  return (await near.toArray())
    .map(({ _id }) => _id)
    .filter((word) => !word.startsWith(typed) && isOneTypoApart(typed, word))
    .slice(0, TYPOS_FOLLOWED)
    .map((word) => ({ word, open: false }));
}
