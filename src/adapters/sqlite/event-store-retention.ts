/** Where what a stream keeps begins. Reads and scavenging ask here, so that they agree. */
import type { DatabaseSync } from 'node:sqlite';
import type { Retention } from '../../ports/event-store.ts';

export interface RetentionReader {
  of(stream: string): Retention;
  /** The lowest revision kept at `now` (ms); what is below has expired. Above the last revision when all has. */
  firstKept(stream: string, now: number): number;
  /** The last revision that the stream ever had; -1 when it never had one. */
  last(stream: string): number;
}

export function openRetention(database: DatabaseSync): RetentionReader {
  const selectRetention = database.prepare('SELECT retention FROM streams WHERE stream = ?');
  const selectLast = database.prepare(
    `SELECT coalesce((SELECT max(revision) FROM events WHERE stream = ?1),
                     (SELECT last FROM streams WHERE stream = ?1), -1) AS last`,
  );
  const selectFirst = database.prepare('SELECT min(revision) AS first FROM events WHERE stream = ?');
  const selectCreated = database.prepare('SELECT created FROM events WHERE stream = ? AND revision = ?');

  function of(stream: string): Retention {
    const found = selectRetention.get(stream)?.['retention'];
    return typeof found === 'string' ? (JSON.parse(found) as Retention) : {};
  }

  function last(stream: string): number {
    return Number(selectLast.get(stream)?.['last']);
  }

  /** Scavenging removes from the front alone, so the revisions on disk have no gaps and can be halved. */
  function firstCreatedAfter(stream: string, oldest: number): number {
    let low = Number(selectFirst.get(stream)?.['first'] ?? 0);
    let high = last(stream) + 1;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const created = Number(selectCreated.get(stream, middle)?.['created'] ?? 0);
      if (created > oldest) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  function firstKept(stream: string, now: number): number {
    const { maxAgeSeconds, maxCount, truncateBefore = 0 } = of(stream);
    return Math.max(
      truncateBefore,
      maxCount === undefined ? 0 : last(stream) - maxCount + 1,
      maxAgeSeconds === undefined ? 0 : firstCreatedAfter(stream, now - maxAgeSeconds * 1000),
    );
  }

  return { of, firstKept, last };
}
