/** Every blob, by its hash. */
import { Refused } from '../../client/api.ts';
import { BlobMismatch, type Blobs, type BlobStat } from '../../ports/blobs.ts';

export interface CopiedBlobs {
  readonly blobs: number;
  readonly bytes: number;
}

const atOnce = 4;

/**
 * Those that are there already are let be: a blob is there whole or not at all.
 * @param told after each; what it throws ends the copying
 * @throws {Refused} naming a blob whose bytes are not those of its name
 */
export async function copyBlobs(source: Blobs, target: Blobs, told: () => void): Promise<CopiedBlobs> {
  let [blobs, bytes] = [0, 0];
  const waiting = source.all()[Symbol.asyncIterator]();
  async function work(): Promise<void> {
    for (let next = await waiting.next(); next.done !== true; next = await waiting.next()) {
      if (!(await copyBlob(source, target, next.value))) continue;
      blobs += 1;
      bytes += next.value.size;
      told();
    }
  }
  const workers = await Promise.allSettled(Array.from({ length: atOnce }, work));
  for (const worker of workers) if (worker.status === 'rejected') throw worker.reason;
  return { blobs, bytes };
}

/** @returns false when it is not there any more */
async function copyBlob(source: Blobs, target: Blobs, { digest, size }: BlobStat): Promise<boolean> {
  if ((await target.stat(digest))?.size === size) return true;
  const content = await source.get(digest);
  if (!content) return false;
  try {
    await target.put(content, { expected: digest });
    return true;
  } catch (error) {
    if (error instanceof BlobMismatch)
      throw new Refused(
        `The blob ${digest} is damaged: its bytes are not those of its name. Put it back from a backup, then begin again.`,
      );
    throw error;
  } finally {
    content.destroy();
  }
}
