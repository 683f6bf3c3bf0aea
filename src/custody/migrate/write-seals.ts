/** The seals of a log that was moved: leaves at their new places, the old heads, one that goes on from them, and the word on the move. */
import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFile } from '../../adapters/filesystem/durable-copies.ts';
import { hasCode } from '../../adapters/filesystem/durable.ts';
import { fileSealHeads } from '../../adapters/filesystem/seal-heads.ts';
import { fileSealMoves, movesName } from '../../adapters/filesystem/seal-moves.ts';
import { openSqliteSealLeaves } from '../../adapters/sqlite/seal-leaves.ts';
import { Refused } from '../../client/api.ts';
import { parseHead, type Signer } from '../../core/seals/head.ts';
import { treeHeadOf } from '../../core/seals/leaf-maker.ts';
import { lineageOf, parseMove } from '../../core/seals/move.ts';
import type { SignedHead } from '../../ports/seals.ts';
import { carrySeals, checkHead } from './carry-seals.ts';
import type { CopiedLog } from './copy-log.ts';
import type { Source, Target } from './ends.ts';

/** @param options.heads where those of the source are @returns how many leaves there are @throws {Refused} when the target's log is not what was sealed */
export async function writeSeals(
  moved: {
    readonly source: Source;
    readonly target: Target;
    readonly folder: string;
    readonly log: CopiedLog;
    readonly lastHead: SignedHead | null;
    readonly signer: Signer;
  },
  {
    heads,
    nowMs,
    told,
  }: { readonly heads: string; readonly nowMs: () => number; readonly told: (events: number) => void },
): Promise<number> {
  const { source, target, folder, log, lastHead, signer } = moved;
  const path = join(folder, 'seals.db');
  for (const suffix of ['', '-wal', '-shm']) await rm(`${path}${suffix}`, { force: true });
  const leaves = openSqliteSealLeaves({ path, logId: target.log.logId });
  try {
    const before = lineageOf(source.log.logId, source.moves, null);
    const arrived = await carrySeals(
      source.leaves,
      target.log,
      leaves,
      {
        ...{ left: log.left, before, nowMs: nowMs() },
      },
      told,
    );
    if (arrived !== log.events)
      throw new Refused(
        `Of ${log.events} events ${arrived} are in the target's log. Empty the target, then begin again.`,
      );
    checkHead(leaves, lastHead);
    const size = leaves.size();
    const at = new Date(nowMs()).toISOString();
    const left = log.left.map(({ stream, through }) => ({ stream, through }));
    const move = signer.signMove({ from: source.log.logId, to: target.log.logId, size, left, at });
    await fileSealMoves(join(folder, movesName), parseMove).replace([...source.moves, move]);
    const file = join(folder, 'seals.ndjson');
    await copyHeads(heads, file);
    const head = treeHeadOf(leaves);
    if (head)
      await fileSealHeads(file, parseHead).append(signer.sign({ log: target.log.logId, ...head, at }));
    return size;
  } finally {
    leaves.close();
    await syncFile(path);
  }
}

/** As they are, over what an earlier run has left. */
async function copyHeads(from: string, to: string): Promise<void> {
  await rm(to, { force: true });
  await copyFile(from, to).catch((error: unknown) => {
    if (!hasCode(error, 'ENOENT')) throw error;
  });
}
