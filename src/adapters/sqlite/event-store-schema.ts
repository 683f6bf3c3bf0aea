/** The file of the embedded log: its tables, and how a connection to it is set up. */
import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

/** Raised when a Slipway that does not know the change could damage the file. */
export const schemaVersion = 1;

/** The file is not one that this version can work with. The message says what it is. */
export class UnreadableLog extends Error {
  override readonly name = 'UnreadableLog';
}

/**
 * `position` is given by the writer, dense and ascending; `meta.floor` keeps it from falling back when the log's end was
 * scavenged. `streams` has a row only for streams with a retention; its `last` remembers the revision when a scavenge removes events.
 */
const tables = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    revision INTEGER NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    metadata TEXT NOT NULL,
    created INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX events_of_stream ON events (stream, revision);
  CREATE TABLE streams (stream TEXT PRIMARY KEY, retention TEXT NOT NULL, last INTEGER) STRICT, WITHOUT ROWID;
`;

export const insertEvent =
  'INSERT INTO events (position, stream, revision, id, type, data, metadata, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)';

/**
 * A connection that may write: what it commits is on disk (WAL, fsynced) when COMMIT returns.
 * @param maxPages the file grows no further than this many pages of 4 KiB: for tests of a full disk
 */
export function openForWriting(path: string, maxPages?: number): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5000 });
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16000');
    if (maxPages !== undefined) database.exec(`PRAGMA max_page_count = ${maxPages}`);
    const mode = database.prepare('PRAGMA journal_mode').get()?.['journal_mode'];
    const synchronous = database.prepare('PRAGMA synchronous').get()?.['synchronous'];
    if (mode !== 'wal' || synchronous !== 2)
      throw new UnreadableLog(`${path} cannot be written durably here: its file system does not carry a WAL`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

export function openForReading(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5000 });
  database.exec('PRAGMA query_only = ON; PRAGMA cache_size = -8000');
  return database;
}

/** Makes the tables where there are none. @throws {UnreadableLog} when the file is a newer version's, or no log */
export function prepareLog(path: string): { readonly logId: string } {
  try {
    return prepare(path);
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && unreadable.has(Number(error.errcode)))
      throw new UnreadableLog(`${path} is no log or is damaged (${error.message}): restore it from a backup`);
    throw error;
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB. */
const unreadable = new Set([11, 26]);

function prepare(path: string): { readonly logId: string } {
  const database = openForWriting(path);
  try {
    database.exec('BEGIN IMMEDIATE');
    const named = database.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE name = 'meta'").get();
    if (named?.['count'] === 0) {
      database.exec(tables);
      const insert = database.prepare('INSERT INTO meta (key, value) VALUES (?, ?)');
      insert.run('schema_version', schemaVersion);
      insert.run('log_id', randomUUID());
      insert.run('floor', 0);
    }
    const version = readMeta(database, 'schema_version');
    if (typeof version !== 'number' || version > schemaVersion)
      throw new UnreadableLog(
        `${path} was written by a newer Slipway (schema ${String(version)}, this one knows ${schemaVersion}): start that version, or restore a backup from before`,
      );
    const logId = readMeta(database, 'log_id');
    if (typeof logId !== 'string') throw new UnreadableLog(`${path} has lost the identity of its log`);
    database.exec('COMMIT');
    if (readHead(database) <= checkedAtOpening) refuseDamage(database, path);
    return { logId };
  } finally {
    database.close();
  }
}

/** So many events are looked at in some dozens of milliseconds. Of a longer log, `slipway audit verify` looks at all. */
const checkedAtOpening = 20_000;

/** Pages, order and indexes: an index that lost a row would let a stream seem shorter than it is. */
function refuseDamage(database: DatabaseSync, path: string): void {
  const found = database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
  if (found !== 'ok')
    throw new UnreadableLog(`${path} is damaged (${String(found)}): restore it from a backup`);
}

export function readMeta(database: DatabaseSync, key: string): unknown {
  return database.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.['value'];
}

/** The place of the last event that ever was, 0 before the first. */
export function readHead(database: DatabaseSync): number {
  const last = database.prepare('SELECT max(position) AS last FROM events').get()?.['last'];
  return Math.max(Number(last ?? 0), Number(readMeta(database, 'floor')));
}
