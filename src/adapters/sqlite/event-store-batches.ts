/** The main thread's side of the writer: one message in flight, the next one gathering meanwhile. */
import { Worker } from 'node:worker_threads';
import { StoreUnavailable, type Retention } from '../../ports/event-store.ts';
import type { Answer, PackedAppends, Request, WriterOptions } from './event-store-messages.ts';

/** How one append ended: see `outcome` of event-store-messages.ts. */
export interface Written {
  readonly outcome: number;
  readonly revision: number;
  readonly place: number;
}

export interface Batches {
  /** @param pack adds one append to the batch that gathers, or throws and leaves it as it was. @throws {StoreUnavailable} */
  append(pack: (packed: PackedAppends) => void): Promise<Written>;
  retain(stream: string, retention: Retention): Promise<void>;
  /** @returns how many events it removed */
  scavenge(now: number): Promise<number>;
  close(): Promise<void>;
}

export interface BatchesOptions extends WriterOptions {
  readonly now: () => number;
  /** The writer is there, anew after a crash: the log's end is `head`, whatever was answered before. */
  readonly onReady: (head: number) => void;
  /** A batch is on disk: `results` in the order of `packed`. Called before any of its appends is answered. */
  readonly onCommitted: (packed: PackedAppends, results: readonly number[]) => void;
  /** Another thread to write with: for tests of its failures. */
  readonly startWorker?: (options: WriterOptions) => Worker;
}

/** Texts in one message, four an event: bounds how long one transaction takes. */
const mostTexts = 16_000;

interface Waiting {
  readonly resolve: (written: Written) => void;
  readonly reject: (error: Error) => void;
}

interface Job {
  readonly request: Request;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

type Flight =
  | { readonly kind: 'batch'; readonly packed: PackedAppends; readonly waiting: readonly Waiting[] }
  | { readonly kind: 'job'; readonly job: Job };

function startWriter(options: WriterOptions): Worker {
  return new Worker(new URL('./event-store-writer.ts', import.meta.url), { workerData: options });
}

/** Resolves when the writer thread works. @throws {StoreUnavailable} */
export async function openBatches(options: BatchesOptions): Promise<Batches> {
  const { path, maxPages, startWorker = startWriter } = options;
  let worker: Worker | null = null;
  let ready = false;
  let closing: Promise<void> | null = null;
  let flight: Flight | null = null;
  let gathering: { packed: PackedAppends; waiting: Waiting[] }[] = [];
  let jobs: Job[] = [];
  let planned = false;
  let exited = Promise.resolve();

  function start(): void {
    const ended: PromiseWithResolvers<void> = Promise.withResolvers();
    exited = ended.promise;
    const started = startWorker({ path, ...(maxPages !== undefined && { maxPages }) });
    worker = started;
    started.on('message', (answer: Answer) => receive(answer));
    started.on('error', (error) => lose(started, error instanceof Error ? error.message : String(error)));
    started.on('exit', () => {
      lose(started, 'it ended');
      ended.resolve();
    });
  }

  /** The thread is gone: nobody waits for it any longer, and the next write starts another. */
  function lose(lost: Worker, why: string): void {
    if (worker !== lost) return;
    worker = null;
    ready = false;
    const error = new StoreUnavailable(`the writer of ${path} failed: ${why}`);
    const failed = [
      ...(flight?.kind === 'batch' ? flight.waiting : flight ? [flight.job] : []),
      ...gathering.flatMap(({ waiting }) => waiting),
      ...jobs,
    ];
    flight = null;
    gathering = [];
    jobs = [];
    for (const { reject } of failed) reject(error);
  }

  function receive(answer: Answer): void {
    if (answer.kind === 'ready') {
      ready = true;
      options.onReady(answer.head);
    } else {
      const landed = flight;
      flight = null;
      if (landed?.kind === 'job') {
        if (answer.kind === 'failed') landed.job.reject(unavailable(answer.message));
        else landed.job.resolve(answer);
      } else if (landed) land(landed.packed, landed.waiting, answer);
    }
    plan();
  }

  function land(packed: PackedAppends, waiting: readonly Waiting[], answer: Answer): void {
    if (answer.kind !== 'appended') {
      const error = unavailable(answer.kind === 'failed' ? answer.message : 'it answered something else');
      for (const { reject } of waiting) reject(error);
      return;
    }
    const { results } = answer;
    options.onCommitted(packed, results);
    for (const [i, { resolve }] of waiting.entries())
      resolve({
        outcome: results[i * 3] ?? -1,
        revision: results[i * 3 + 1] ?? -1,
        place: results[i * 3 + 2] ?? -1,
      });
  }

  function unavailable(message: string): StoreUnavailable {
    return new StoreUnavailable(`the log ${path} could not be written: ${message}`);
  }

  /** Not at once: whoever was answered just now may have the next append ready, and it goes with the others. */
  function plan(): void {
    if (planned || flight) return;
    planned = true;
    setImmediate(() => {
      planned = false;
      send();
    });
  }

  let turn: 'batch' | 'job' = 'batch';
  function send(): void {
    if (flight || (jobs.length === 0 && gathering.length === 0)) return;
    if (!worker) start();
    if (!ready) return;
    // In turns, so that neither a long scavenge nor a stream of appends keeps the other waiting.
    // The close comes last: nothing is asked after it.
    const last = jobs[0]?.request.kind === 'close' && jobs.length === 1;
    const job = gathering.length === 0 || (turn === 'job' && !last) ? jobs.shift() : undefined;
    turn = job ? 'batch' : 'job';
    if (job) {
      flight = { kind: 'job', job };
      worker?.postMessage(job.request);
      return;
    }
    const batch = gathering.shift();
    if (!batch) return;
    flight = { kind: 'batch', ...batch };
    worker?.postMessage({ kind: 'append', created: options.now(), packed: batch.packed } satisfies Request);
  }

  function ask(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      jobs.push({ request, resolve, reject });
      plan();
    });
  }

  start();
  await new Promise<void>((resolve, reject) => {
    worker?.once('message', () => resolve());
    worker?.once('error', (error) =>
      reject(unavailable(error instanceof Error ? error.message : String(error))),
    );
    worker?.once('exit', () => reject(unavailable('its thread ended')));
  });

  return {
    append(pack) {
      return new Promise((resolve, reject) => {
        let batch = gathering.at(-1);
        if (!batch || batch.packed.texts.length > mostTexts)
          gathering.push((batch = { packed: { counts: [], texts: [] }, waiting: [] }));
        pack(batch.packed);
        batch.waiting.push({ resolve, reject });
        plan();
      });
    },

    async retain(stream, retention) {
      await ask({ kind: 'retain', stream, retention });
    },

    async scavenge(now) {
      let removed = 0;
      for (let after: string | null = ''; after !== null && !closing;) {
        const answer = await ask({ kind: 'scavenge', after, now });
        if (answer.kind !== 'scavenged') throw unavailable('it answered something else');
        removed += answer.removed;
        ({ after } = answer);
      }
      return removed;
    },

    close() {
      closing ??= (async () => {
        // A thread that is gone has let go of the file too.
        if (worker) await ask({ kind: 'close' }).catch(() => undefined);
        await exited;
      })();
      return closing;
    },
  };
}
