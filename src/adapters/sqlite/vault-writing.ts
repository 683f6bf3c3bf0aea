/** The main thread's side of the vault's writer: one batch in flight, the next one gathering meanwhile. */
import { Worker } from 'node:worker_threads';
import { StoreUnavailable } from '../../ports/event-store.ts';
import type { VaultWrite } from './vault-file.ts';
import type { WriterAnswer, WriterQuestion } from './vault-writer.ts';

export interface VaultWriting {
  /** Durable when it resolves. @returns rows changed. @throws {StoreUnavailable} */
  write(write: VaultWrite): Promise<number>;
  /** Finishes what was asked for, then ends the thread. Idempotent. */
  close(): Promise<void>;
}

interface Waiting {
  readonly write: VaultWrite;
  readonly resolve: (changes: number) => void;
  readonly reject: (error: Error) => void;
}

/** Few enough that a batch commits within milliseconds, many enough that an fsync is shared. */
const mostInBatch = 500;

export function startVaultWriting(path: string): VaultWriting {
  const worker = new Worker(new URL('./vault-writer.ts', import.meta.url), { workerData: path });
  const ended = Promise.withResolvers<undefined>();
  let gathering: Waiting[] = [];
  let inFlight: readonly Waiting[] = [];
  let refusal: string | null = null;

  function send(): void {
    if (inFlight.length > 0) return;
    inFlight = gathering.slice(0, mostInBatch);
    gathering = gathering.slice(mostInBatch);
    if (inFlight.length > 0) ask(inFlight.map(({ write }) => write));
    else if (refusal !== null) ask(null);
  }

  function ask(question: WriterQuestion): void {
    worker.postMessage(question);
  }

  function fail(waiting: readonly Waiting[], reason: string): void {
    for (const { reject } of waiting) reject(new StoreUnavailable(`the vault cannot write: ${reason}`));
  }

  worker.on('message', (answer: WriterAnswer) => {
    const answered = inFlight;
    inFlight = [];
    if ('failed' in answer) fail(answered, answer.failed);
    else answered.forEach(({ resolve }, index) => resolve(answer.changes[index] ?? 0));
    send();
  });
  worker.on('error', (error: Error) => {
    refusal = error.message;
  });
  worker.on('exit', () => {
    refusal ??= 'its writer ended';
    fail([...inFlight, ...gathering], refusal);
    inFlight = gathering = [];
    ended.resolve(undefined);
  });

  return {
    write: (write) => {
      if (refusal !== null) return Promise.reject(new StoreUnavailable(`the vault cannot write: ${refusal}`));
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      gathering.push({ write, resolve, reject });
      send();
      return promise;
    },
    close: () => {
      if (refusal === null) {
        refusal = 'it is closed';
        send();
      }
      return ended.promise;
    },
  };
}
