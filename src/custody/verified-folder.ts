/** Log, leaves and heads of a folder, compared. */
import { join } from 'node:path';
import { fileSealHeads } from '../adapters/filesystem/seal-heads.ts';
import { fileSealMoves, movesName } from '../adapters/filesystem/seal-moves.ts';
import { openSqliteSealLeaves } from '../adapters/sqlite/seal-leaves.ts';
import { Refused } from '../client/api.ts';
import { sentenceOf } from '../core/seals/findings.ts';
import { parseMove } from '../core/seals/move.ts';
import { type KeptLog, keptIn } from './kept-log.ts';
import { verifyLog, type Verification, type VerifyOptions } from '../core/seals/verify.ts';
import { keptHead } from './kept-head.ts';

/** @param log default: in the folder; it is closed @param heads default: in the folder @throws {UnreadableLog} {@link UnusableSeals} */
export async function verifyFolder(
  folder: string,
  nowMs: number,
  {
    heads = join(folder, 'seals.ndjson'),
    log = keptIn(folder),
    ...options
  }: VerifyOptions & { readonly heads?: string; readonly log?: KeptLog } = {},
): Promise<Verification> {
  try {
    const moves = await fileSealMoves(join(folder, movesName), parseMove).all();
    const leaves = openSqliteSealLeaves({ path: join(folder, 'seals.db'), logId: log.logId, readOnly: true });
    try {
      const verified = await verifyLog(
        { log, leaves, heads: fileSealHeads(heads, keptHead), moves, nowMs },
        options,
      );
      // Reading in order looks at no index.
      const why = log.damage();
      if (why === null) return verified;
      const finding = { kind: 'file', why } as const;
      return { ...verified, findings: [...verified.findings, finding], found: verified.found + 1 };
    } finally {
      leaves.close();
    }
  } finally {
    await log.close();
  }
}

/** Whether something that was sealed is not as it was. */
export function isBroken({ found, foundUnsealed }: Verification): boolean {
  return found > foundUnsealed;
}

/** The same, where nothing but a whole log will do. @throws {Refused} when it is not */
export async function verifiedFolder(folder: string, nowMs: number): Promise<Verification> {
  const verified = await verifyFolder(folder, nowMs);
  if (isBroken(verified))
    throw new Refused(
      ['The log is not what was sealed.', ...verified.findings.slice(0, 5).map(sentenceOf)].join('\n'),
    );
  return verified;
}
