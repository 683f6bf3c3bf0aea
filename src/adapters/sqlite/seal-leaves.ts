/** The embedded {@link SealLeaves}: a SQLite file beside the log. */
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { StoreUnavailable } from '../../ports/event-store.ts';
import type { Leaf, SealLeaves } from '../../ports/seals.ts';
import { placeOf, position } from '../event-log/rules.ts';

/** The file cannot be worked with, or is of another log. The message says what to do. */
export class UnusableSeals extends Error {
  override readonly name = 'UnusableSeals';
}

/** A power cut may take the last transactions, never half of one: those leaves are made again from the log. */
const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS leaves (
    leaf INTEGER PRIMARY KEY, place INTEGER NOT NULL, stream TEXT NOT NULL, revision INTEGER NOT NULL,
    at TEXT NOT NULL, content BLOB NOT NULL, hash BLOB NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS nodes (level INTEGER, node INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, node)) STRICT;
`;

/** @param options.logId of the log whose leaves these are @throws {UnusableSeals} */
export function openSqliteSealLeaves(options: {
  readonly path: string;
  readonly logId: string;
  readonly readOnly?: boolean;
}): SealLeaves {
  const { path, logId, readOnly = false } = options;
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: 5000, readOnly });
    return open(database, path, logId, readOnly);
  } catch (error) {
    database?.close();
    if (error instanceof UnusableSeals) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UnusableSeals(
      `${path}, the leaves of the seals, cannot be opened (${reason}): restore it from a backup`,
    );
  }
}

function open(database: DatabaseSync, path: string, logId: string, readOnly: boolean): SealLeaves {
  if (!readOnly) {
    database.exec(schema);
    database.prepare("INSERT OR IGNORE INTO meta (name, value) VALUES ('log_id', ?)").run(logId);
  }
  const of = database.prepare("SELECT value FROM meta WHERE name = 'log_id'").get()?.['value'];
  if (of !== logId)
    throw new UnusableSeals(
      `${path} seals another log (${String(of)}) than the one beside it (${logId}): restore both from the same backup`,
    );
  const count = database.prepare('SELECT coalesce(max(leaf) + 1, 0) AS size FROM leaves');
  const columns = 'leaf, place, stream, revision, at, content, hash';
  const selectPage = database.prepare(`SELECT ${columns} FROM leaves WHERE leaf >= ? ORDER BY leaf LIMIT ?`);
  const selectPlace = database.prepare('SELECT place FROM leaves WHERE leaf = ?');
  const selectLeafHash = database.prepare('SELECT hash FROM leaves WHERE leaf = ?');
  const selectNodeHash = database.prepare('SELECT hash FROM nodes WHERE level = ? AND node = ?');
  const selectChecked = database.prepare("SELECT value FROM meta WHERE name = 'checked'");
  const upsertChecked = database.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES ('checked', ?)");
  const insertLeaf = readOnly
    ? null
    : database.prepare(`INSERT INTO leaves (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
  const insertNode = readOnly
    ? null
    : database.prepare('INSERT INTO nodes (level, node, hash) VALUES (?, ?, ?)');

  const leafOf = (row: Record<string, SQLOutputValue>): Leaf => ({
    index: Number(row['leaf']),
    position: position(logId, Number(row['place'])),
    stream: String(row['stream']),
    revision: Number(row['revision']),
    at: String(row['at']),
    content: bytesOf(row['content']),
    hash: bytesOf(row['hash']),
  });
  /** Asked each time: another thread may have added some. */
  const size = (): number => Number(count.get()?.['size']);

  return {
    size,
    append(leaves, nodes) {
      if (!insertLeaf || !insertNode) throw new StoreUnavailable(`${path} is open for reading alone`);
      try {
        database.exec('BEGIN IMMEDIATE');
        const before = size();
        for (const [n, leaf] of leaves.entries()) {
          const { stream, revision, at, content, hash } = leaf;
          insertLeaf.run(before + n, placeOf(logId, leaf.position), stream, revision, at, content, hash);
        }
        for (const { level, index, hash } of nodes) insertNode.run(level, index, hash);
        database.exec('COMMIT');
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw new StoreUnavailable(`the seals ${path} could not be written`, { cause: error });
      }
    },
    truncate(to) {
      database.prepare('DELETE FROM leaves WHERE leaf >= ?').run(to);
      // A node is complete only where all its leaves are.
      database.prepare('DELETE FROM nodes WHERE (node + 1) * (1 << level) > ?').run(to);
    },
    page: (from, limit) => selectPage.all(from, limit).map(leafOf),
    find(at) {
      // Places ascend as leaves do, so halving finds one: an index would cost every event more than all look-ups together.
      const place = placeOf(logId, at);
      let low = 0;
      for (let high = size(); low < high;) {
        const middle = Math.floor((low + high) / 2);
        if (Number(selectPlace.get(middle)?.['place'] ?? place) < place) low = middle + 1;
        else high = middle;
      }
      const row = selectPage.get(low, 1);
      return row && Number(row['place']) === place ? leafOf(row) : null;
    },
    hashAt(level, index) {
      const row = level === 0 ? selectLeafHash.get(index) : selectNodeHash.get(level, index);
      if (!row) throw new RangeError(`${path} holds no hash at level ${level}, ${index}`);
      return bytesOf(row['hash']);
    },
    checked() {
      const [next = 0, broken = null] = String(selectChecked.get()?.['value'] ?? '')
        .split(' ')
        .map((text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined));
      return { next, broken };
    },
    check: ({ next, broken }) => void upsertChecked.run(`${next} ${broken ?? ''}`),
    close() {
      if (database.isOpen) database.close();
    },
  };
}

function bytesOf(value: SQLOutputValue | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array();
}
