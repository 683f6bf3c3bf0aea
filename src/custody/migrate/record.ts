/** What a migration is of, kept in the folder that it makes: so that the same goes on, and no other goes over it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hasCode, writeSecretFile } from '../../adapters/filesystem/durable.ts';

export const recordName = 'migration.json';

const MigrationRecord = z.strictObject({
  kind: z.literal('slipway migration'),
  /** Identities of the log that is moved, and of what it becomes. */
  from: z.string(),
  to: z.string(),
  begunAt: z.iso.datetime(),
});
export type MigrationRecord = z.output<typeof MigrationRecord>;

/** Null: there is none that can be read. */
export async function readMigration(folder: string): Promise<MigrationRecord | null> {
  try {
    const value: unknown = JSON.parse(await readFile(join(folder, recordName), 'utf8'));
    return MigrationRecord.safeParse(value).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}

export async function writeMigration(folder: string, record: MigrationRecord): Promise<void> {
  await writeSecretFile(join(folder, recordName), `${JSON.stringify(record)}\n`);
}
