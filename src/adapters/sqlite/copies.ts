/** Copies of SQLite files, taken while others write to them. */
import { DatabaseSync } from 'node:sqlite';
import { UnreadableLog } from './event-store-schema.ts';

/**
 * Copies the file as it is at one moment: one reading transaction, without free pages and what they still hold.
 * @param to must not exist
 */
export function copyDatabase(from: string, to: string): void {
  const database = new DatabaseSync(from, { readOnly: true, timeout: 10_000 });
  try {
    database.prepare('VACUUM INTO ?').run(to);
  } finally {
    database.close();
  }
}

/** @returns what SQLite finds wrong with the file's pages and indexes; null: nothing */
export function damageOf(path: string): string | null {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const found = database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
    return found === 'ok' ? null : String(found);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    database.close();
  }
}

/** Where a log is cut: behind this place, or behind what was there at this time. */
export type Cut = { readonly place: number } | { readonly atMs: number };

/**
 * Takes away what came behind, for good: what is left is as if nothing had come. For copies of a log that nobody has open.
 * @returns the place of the last event that stays; 0: none does
 */
export function cutLog(path: string, cut: Cut): number {
  const database = new DatabaseSync(path);
  try {
    const last =
      'place' in cut
        ? cut.place
        : // The first that is younger, not the last that is older: a clock that was set back must not let younger ones stay.
          Number(
            database
              .prepare(
                'SELECT coalesce(min(position) - 1, (SELECT max(position) FROM events), 0) AS last FROM events WHERE created > ?',
              )
              .get(cut.atMs)?.['last'],
          );
    database.prepare('DELETE FROM events WHERE position > ?').run(last);
    database.prepare("UPDATE meta SET value = min(value, ?) WHERE key = 'floor'").run(last);
    database.exec('VACUUM');
    return last;
  } finally {
    database.close();
  }
}

export interface LogSummary {
  readonly logId: string;
  readonly events: number;
  /** The place of the last event, and when it was written (milliseconds); null in an empty log. */
  readonly last: { readonly place: number; readonly atMs: number } | null;
}

/** @throws {UnreadableLog} */
export function summaryOfLog(path: string): LogSummary {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const logId = database.prepare("SELECT value FROM meta WHERE key = 'log_id'").get()?.['value'];
    const row = database
      .prepare(
        'SELECT position, created, (SELECT count(*) FROM events) AS events FROM events ORDER BY position DESC LIMIT 1',
      )
      .get();
    const last = row ? { place: Number(row['position']), atMs: Number(row['created']) } : null;
    return { logId: String(logId), events: Number(row?.['events'] ?? 0), last };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UnreadableLog(`${path} is no log or is damaged (${reason}): restore it from a backup`);
  } finally {
    database.close();
  }
}
