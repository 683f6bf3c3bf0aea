/** That a migration goes into stores that are empty, or goes on as it began. */
import { Refused } from '../../client/api.ts';
import type { Target } from './ends.ts';
import { type MigrationRecord, readMigration, writeMigration } from './record.ts';

/** @returns what an earlier run has left; null: this one is the first. @throws {Refused} when the target is another's */
export async function begin(
  folder: string,
  { from, to }: Pick<MigrationRecord, 'from' | 'to'>,
  target: Target,
  nowMs: number,
): Promise<MigrationRecord | null> {
  const before = await readMigration(folder);
  if (!before) {
    const taken = await takenIn(target);
    if (taken !== null)
      throw new Refused(
        `The target is not empty: ${taken}. Name stores that hold nothing; or, to go on with a migration, --into the folder in which it began.`,
      );
    await writeMigration(folder, {
      ...{ kind: 'slipway migration', from, to, begunAt: new Date(nowMs).toISOString() },
    });
  } else if (before.from !== from || before.to !== to)
    throw new Refused(
      `${folder} is of a migration of the log ${before.from} to ${before.to}, not of ${from} to ${to}: repeat that one, or remove the folder and empty its stores.`,
    );
  return before;
}

/** What is there that must not be, in words. */
async function takenIn({ log, vault, blobs }: Target): Promise<string | null> {
  const { events } = await log.readAll({ after: null, limit: 1 });
  if (events[0]) return `there are events in its log, such as ${events[0].stream}@${events[0].revision}`;
  for await (const items of vault.read()) if (items.length > 0) return 'there are entries in its vault';
  for await (const { digest } of blobs.all()) return `there are blobs, such as ${digest}`;
  return null;
}
