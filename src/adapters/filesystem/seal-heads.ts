/** The embedded {@link SealHeads}: a file with a line of JSON a head, only ever appended to. */
import { open, readFile } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { StoreUnavailable } from '../../ports/event-store.ts';
import type { SealHeads, SignedHead } from '../../ports/seals.ts';
import { hasCode } from './durable.ts';

/** @param parse null for what is no head */
export function fileSealHeads(path: string, parse: (value: unknown) => SignedHead | null): SealHeads {
  function parseLine(line: string): SignedHead | null {
    try {
      return parse(JSON.parse(line));
    } catch {
      return null;
    }
  }

  async function* read(): ReturnType<SealHeads['read']> {
    const input = createReadStream(path);
    let number = 0;
    try {
      for await (const line of createInterface({ input, crlfDelay: Infinity })) {
        number += 1;
        if (line === '') continue;
        yield parseLine(line) ?? { unreadableLine: number };
      }
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    } finally {
      input.destroy();
    }
  }

  return {
    async append(head) {
      try {
        const file = await open(path, 'a+', 0o600);
        try {
          const { size } = await file.stat();
          const before = Buffer.alloc(1);
          if (size > 0) await file.read(before, 0, 1, size - 1);
          // A crash may have left half a line: it stays one that is no head, instead of spoiling the next.
          const separator = size === 0 || before.toString() === '\n' ? '' : '\n';
          await file.appendFile(`${separator}${JSON.stringify(head)}\n`);
          await file.datasync();
        } finally {
          await file.close();
        }
      } catch (error) {
        throw new StoreUnavailable(`the heads ${path} could not be written`, { cause: error });
      }
    },
    read,
    async last() {
      const tail = await readTail(path);
      for (const line of tail.split('\n').reverse()) {
        const head = line === '' ? null : parseLine(line);
        if (head) return head;
      }
      return null;
    },
  };
}

/** More than a hundred heads. */
const tailBytes = 65_536;

async function readTail(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size <= tailBytes) return await readFile(file, 'utf8');
      const bytes = Buffer.alloc(tailBytes);
      await file.read(bytes, 0, tailBytes, size - tailBytes);
      return bytes.toString();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}
