/** The vault's writer thread: an fsync takes milliseconds, and no request should stand behind another's. */
import { parentPort, workerData } from 'node:worker_threads';
import { openVaultFile, writesInto } from './vault-file.ts';
import type { VaultWrite } from './vault-file.ts';

/** One batch at a time, each answered by one {@link WriterAnswer}; null: close the file and end. */
export type WriterQuestion = readonly VaultWrite[] | null;
export type WriterAnswer = { readonly changes: readonly number[] } | { readonly failed: string };

const port = parentPort;
if (!port) throw new Error('vault-writer.ts runs as a thread');
const database = openVaultFile(String(workerData));
const write = writesInto(database);

port.on('message', (batch: WriterQuestion) => {
  if (batch === null) {
    database.close();
    port.close();
  } else {
    port.postMessage(answer(batch));
  }
});

function answer(batch: readonly VaultWrite[]): WriterAnswer {
  try {
    return { changes: write(batch) };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}
