/** What a replay is of, beside the log that it makes: so that it goes on as it began, and nobody takes a part for a platform. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hasCode, writeSecretFile } from '../adapters/filesystem/durable.ts';

export const recordName = 'replay.json';

const Place = z.string().nullable();
const Part = z.object({
  streams: z.array(z.string()),
  types: z.array(z.string()),
  tenant: z.string().nullable(),
  from: Place,
  to: Place,
});
const ReplayRecord = z.object({
  kind: z.literal('slipway replay'),
  /** Identity of the log that is replayed. */
  log: z.uuid(),
  /** As it was typed: `12h` is another time when it is typed again. */
  asked: z.string(),
  part: Part,
  /** The log's end when the replay began. */
  end: z.string(),
});
export type ReplayRecord = z.output<typeof ReplayRecord>;

/** Null: there is none that can be read. */
export async function readRecord(folder: string): Promise<ReplayRecord | null> {
  try {
    const value: unknown = JSON.parse(await readFile(join(folder, recordName), 'utf8'));
    return ReplayRecord.safeParse(value).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError || hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

export async function writeRecord(folder: string, record: ReplayRecord): Promise<void> {
  await writeSecretFile(join(folder, recordName), `${JSON.stringify(record)}\n`);
}
