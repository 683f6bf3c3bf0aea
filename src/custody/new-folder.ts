/** Folders that a command makes as a whole. */
import { readdir, stat } from 'node:fs/promises';
import { hasCode } from '../adapters/filesystem/durable.ts';
import { Refused } from '../client/api.ts';

/** @param why in words, what makes the folder @throws {Refused} when something is there */
export async function refuseTaken(into: string, why: string): Promise<void> {
  try {
    if (!(await stat(into)).isDirectory()) throw new Refused(`${into} is no folder.`);
    if ((await readdir(into)).length > 0) throw new Refused(`${into} is not empty: ${why}.`);
  } catch (error) {
    if (hasCode(error, 'ENOTDIR')) throw new Refused(`${into} cannot be made: it lies below a file.`);
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}
