/**
 * Configurations against the schemas that publishers wrote. A stranger's schema can ask for more work than there is time, so all of it
 * happens in a thread of its own, which is ended when it takes too long or too much memory: the server never waits for it.
 */
import { hash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import type { ConfigurationValue } from '../domain/secret-reference.ts';
import type { CheckJob } from './configuration-checks-thread.ts';
import type { Verdict } from './configuration-validators.ts';
import { createGate, TooBusy } from './gate.ts';

/** `too costly`: it took longer than a check may take, or more memory. */
export type CheckOutcome = Verdict | { readonly kind: 'too costly' };

export interface ConfigurationChecks {
  /** Whether a version may be published with the schema. @throws {TooBusy} of gate.ts */
  schema(schema: unknown): Promise<CheckOutcome>;
  /** @param schema what `schema` has let through, or an older server. @throws {TooBusy} of gate.ts */
  configuration(schema: unknown, configuration: ConfigurationValue): Promise<CheckOutcome>;
  /** Idempotent; what is under way is too costly then. */
  close(): Promise<void>;
}

/** Of processor time: several times what an honest schema of the greatest size takes. */
const defaultLimitMs = 2_000;
const lookEveryMs = 100;
/** How many times longer it may take by the clock. */
const patience = 15;
/** Schemas whose verdict is remembered: most versions of a plugin come with the schema of the one before. */
const mostKnown = 1_000;
const memory = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16, stackSizeMb: 2 };

/** @param options.limitMs for one check, in processor time: a busy machine is nobody's fault */
export function createConfigurationChecks(options: { readonly limitMs?: number } = {}): ConfigurationChecks {
  const { limitMs = defaultLimitMs } = options;
  const gate = createGate({ atOnce: 1, waiting: 100 });
  const known = new LRUCache<string, Verdict>({ max: mostKnown });
  let thread: Promise<Worker> | null = null;
  let closed = false;

  async function run(job: CheckJob): Promise<CheckOutcome> {
    if (closed) throw stopping();
    const worker = await (thread ??= start().catch(forget));
    const { promise, resolve } = Promise.withResolvers<CheckOutcome>();
    const giveUp = (): void => resolve({ kind: 'too costly' });
    worker.once('message', resolve).once('exit', giveUp);
    const stopWatching = watch(worker, limitMs, giveUp);
    worker.postMessage(job);
    const outcome = await promise;
    stopWatching();
    worker.off('message', resolve).off('exit', giveUp);
    if (outcome.kind === 'too costly') {
      thread = null;
      await worker.terminate();
    }
    return outcome;
  }

  function stopping(): TooBusy {
    return new TooBusy('the server is stopping');
  }

  function forget(error: unknown): never {
    thread = null;
    throw error;
  }

  async function inspected(schema: string): Promise<CheckOutcome> {
    if (closed) throw stopping();
    const name = hash('sha256', schema, 'base64');
    const verdict = known.get(name);
    if (verdict) return verdict;
    const outcome = await gate(() => run({ schema }));
    if (outcome.kind !== 'too costly') known.set(name, outcome);
    return outcome;
  }

  return {
    schema: (schema) => inspected(JSON.stringify(schema)),
    configuration: (schema, configuration) =>
      gate(() => run({ schema: JSON.stringify(schema), configuration })),
    async close() {
      closed = true;
      await (await thread)?.terminate();
    },
  };
}

/** Calls back when the thread has used up its time, or has not said for long how much it used. @returns ends it */
function watch(worker: Worker, limitMs: number, usedUp: () => void): () => void {
  let looks = 0;
  let asked = false;
  let before: number | null = null;
  const look = async (): Promise<void> => {
    if (asked) return;
    asked = true;
    const { user, system } = await worker.cpuUsage();
    asked = false;
    before ??= user + system;
    if (user + system - before > limitMs * 1_000) usedUp();
  };
  const timer = setInterval(() => {
    looks += 1;
    if (looks * lookEveryMs > limitMs * patience) usedUp();
    // A thread that has ended does not answer, and has said so itself.
    else look().catch(() => undefined);
  }, lookEveryMs);
  return () => clearInterval(timer);
}

/** Loading it is no part of what a check may take. */
async function start(): Promise<Worker> {
  const worker = new Worker(new URL('./configuration-checks-thread.ts', import.meta.url), {
    // Nothing that it runs has any business with settings.
    env: {},
    resourceLimits: memory,
  });
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  // Later, what ends it its caller learns by its exit.
  worker.on('error', reject);
  worker.once('message', () => resolve(undefined));
  await promise;
  worker.unref();
  return worker;
}
