/** Snapshots in a SQLite file of their own, which is thrown away when it cannot be read. */
import { hash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Snapshot, Snapshots } from '../../ports/snapshots.ts';

/**
 * Nothing in here is worth an fsync: after a power cut the file may be damaged, and is begun anew when it cannot be opened.
 * Damage behind that is found row by row, by a digest.
 */
const schema = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = OFF;
  CREATE TABLE IF NOT EXISTS snapshots (stream TEXT PRIMARY KEY, snapshot TEXT NOT NULL, digest TEXT NOT NULL);
`;

/** @param options.file created when it is missing, deleted and created again when it is damaged */
export async function openSnapshots(options: { readonly file: string }): Promise<Snapshots> {
  const { database, select, replace } = openOrReplace(options.file);
  let closed = false;

  return {
    async read(stream) {
      try {
        const row = select.get(stream);
        const text = String(row?.['snapshot']);
        return row?.['digest'] === digestOf(stream, text) ? (JSON.parse(text) as Snapshot) : null;
      } catch {
        // A damaged page: as good as absent. It only costs time.
        return null;
      }
    },
    async write(stream, { state, revision, eventId, fingerprint }) {
      if (closed) return;
      const text = JSON.stringify({ state, revision, eventId, fingerprint });
      replace.run(stream, text, digestOf(stream, text));
    },
    async close() {
      if (!closed) database.close();
      closed = true;
    },
  };
}

function digestOf(stream: string, snapshot: string): string {
  return hash('sha256', `${stream}\n${snapshot}`);
}

function openOrReplace(file: string): ReturnType<typeof open> {
  try {
    return open(file);
  } catch {
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    return open(file);
  }
}

function open(file: string) {
  const database = new DatabaseSync(file);
  try {
    database.exec(schema);
    return {
      database,
      select: database.prepare('SELECT snapshot, digest FROM snapshots WHERE stream = ?'),
      replace: database.prepare('INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?)'),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}
