/**
 * Answers given lately, kept until something is written to their collection: catalogs are read far more often than they change.
 * Whoever commits says so after the commit; an answer is read and kept without a pause, so none from before it is kept beyond it.
 */
import { LRUCache } from 'lru-cache';
import type { Table } from './read-models-schema.ts';

/** Documents kept in all answers together. */
const DOCUMENTS_KEPT = 20_000;
/** Larger answers are for those who walk through a collection once. */
const LARGEST_KEPT = 100;

export interface RecentAnswers {
  /** @param documents how many an answer holds */
  answer<T extends object>(
    table: Table,
    question: readonly unknown[],
    read: () => T,
    documents: (answer: T) => number,
  ): T;
  /** Something was written to the collection. */
  changed(table: Table): void;
}

export function keepRecentAnswers(): RecentAnswers {
  const kept = new LRUCache<string, object>({ maxSize: DOCUMENTS_KEPT });
  /** How often each collection was written to, by its number: part of what its answers are kept under. */
  const changes = new Map<number, number>();

  return {
    answer<T extends object>(
      table: Table,
      question: readonly unknown[],
      read: () => T,
      documents: (answer: T) => number,
    ): T {
      const key = JSON.stringify([table.number, changes.get(table.number) ?? 0, ...question]);
      const known = kept.get(key);
      // The key names the table and the kind of the question, and so the type.
      if (known) return known as T;
      const answer = read();
      const size = documents(answer);
      if (size <= LARGEST_KEPT) kept.set(key, answer, { size: 1 + size });
      return answer;
    },
    changed: ({ number }) => {
      changes.set(number, (changes.get(number) ?? 0) + 1);
    },
  };
}
