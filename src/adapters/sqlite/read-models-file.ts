/** Opening the read models' file. What cannot be used is thrown away: everything in it can be rebuilt from the log. */
import { existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { StoreUnavailable } from '../../ports/event-store.ts';
import { APPLICATION_ID, createMeta, FORMAT, readCatalogue } from './read-models-schema.ts';

/** Checking takes a second for some hundred megabytes; a larger file is trusted until a read of it fails. Bytes. */
const CHECKED_UP_TO = 64 * 1024 * 1024;

/** Beside a file whose damage was met in use: the next start throws both away. */
const DAMAGED = '-damaged';

/** Result codes of https://sqlite.org/rescode.html. */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
/** SQLITE_ERROR, CONSTRAINT, MISMATCH, MISUSE, RANGE: a statement is wrong, and would be again. */
const DEFECTS: readonly number[] = [1, 19, 20, 21, 25];

type Use = 'ours' | 'empty' | 'foreign' | 'useless';

/**
 * The writer's connection, to a file that is sound and of this format, possibly new and empty.
 * @throws {StoreUnavailable} when it cannot be opened or made
 */
export function openForWriting(path: string): DatabaseSync {
  try {
    return openOrMake(path);
  } catch (error) {
    throw asUnavailable(error);
  }
}

function openOrMake(path: string): DatabaseSync {
  const found = inspect(path);
  // Another store's data, put here by a wrong setting, cannot be rebuilt: it is set aside.
  if (found === 'foreign') renameSync(path, `${path}.foreign-${Date.now()}`);
  if (found === 'useless' || found === 'foreign') {
    for (const suffix of ['', '-wal', '-shm', DAMAGED]) rmSync(path + suffix, { force: true });
  }
  const db = open(path);
  if (found !== 'ours') {
    db.exec('BEGIN IMMEDIATE');
    createMeta(db);
    db.exec('COMMIT');
  }
  return db;
}

export function openForReading(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
  db.exec('PRAGMA cache_size = -32768');
  return db;
}

/** A power cut may take the last commits, never the order of commits: the checkpoint goes back with the documents. */
function open(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5000 });
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 4000;
    PRAGMA cache_size = -65536;
    PRAGMA journal_size_limit = 67108864;
  `);
  return db;
}

function inspect(path: string): Use {
  if (!existsSync(path) || existsSync(path + DAMAGED)) return 'useless';
  let db: DatabaseSync | undefined;
  try {
    // Without a pragma: what is another's stays as it is.
    db = new DatabaseSync(path, { timeout: 5000 });
    return use(db, statSync(path).size <= CHECKED_UP_TO);
  } catch (error) {
    if (!isDamage(error)) throw error;
    return 'useless';
  } finally {
    db?.close();
  }
}

function use(db: DatabaseSync, check: boolean): Use {
  if (db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined) return 'empty';
  if (check && db.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] !== 'ok') return 'useless';
  if (db.prepare('PRAGMA application_id').get()?.['application_id'] !== APPLICATION_ID) return 'foreign';
  if (db.prepare('PRAGMA user_version').get()?.['user_version'] !== FORMAT) return 'useless';
  readCatalogue(db);
  return 'ours';
}

function isDamage(error: unknown): boolean {
  return isCorruption(sqliteCode(error)) || error instanceof SyntaxError;
}

function isCorruption(code: number | null): boolean {
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/** The primary result code of an error of SQLite's; null for other errors. */
function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}

/**
 * The file's or the disk's fault: the caller may try again. Other errors are defects and pass as they are. Damage is noted
 * beside the file of `db`, so that the next start rebuilds it.
 */
export function asUnavailable(error: unknown, db?: DatabaseSync): unknown {
  const code = sqliteCode(error);
  if (!(error instanceof Error) || code === null || DEFECTS.includes(code)) return error;
  const path = db?.location();
  if (path && isCorruption(code)) writeFileSync(path + DAMAGED, error.message);
  return new StoreUnavailable(`the read models' file: ${error.message}`, { cause: error });
}
