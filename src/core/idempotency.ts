/** `Idempotency-Key`: however often a request is sent with it, its effect is single and its answer the same. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Decision } from '../domain/refusal.ts';
import type { Clock } from '../ports/clock.ts';
import type { Actor, Json } from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import type { Vault } from '../ports/vault.ts';
import { commandRecord, isDecided, receive, settle } from './command-record.ts';
import type { CommandEvent, CommandRecord } from './command-record.ts';
import { derivedId, step } from './context.ts';
import type { Executor } from './executor.ts';
import { TooBusy } from './gate.ts';
import { backoff } from './waiting.ts';

const Answer = z.object({
  status: z.number().int(),
  headers: z.record(z.string(), z.string()),
  body: z.json(),
});

/** What is kept of an answer: headers are those that a repetition must show again. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
}

export interface KeyedRequest {
  /** Whose key it is: the same key of somebody else is another. */
  readonly principal: string;
  readonly method: string;
  readonly path: string;
  readonly key: string;
  /** As it came over the wire. */
  readonly body: string | Uint8Array;
  readonly tenant: string | null;
  readonly actor: Actor;
  readonly correlationId: string;
}

export interface Idempotency {
  /**
   * @param execute does the work, with the command id given; its effects are single when all go through the executor
   * @throws {IdempotencyKeyReused} {AnswerExpired}, and whatever `execute` throws (the key is then free again)
   */
  run(
    request: KeyedRequest,
    execute: (context: { readonly commandId: string; readonly mayRepeat: boolean }) => Promise<Answer>,
  ): Promise<{ readonly answer: Answer; readonly replayed: boolean }>;
}

/** The key came with another body before. Faces answer 422. */
export class IdempotencyKeyReused extends Error {
  override readonly name = 'IdempotencyKeyReused';
}

/** The request was decided long ago and its answer is no longer kept. Faces answer 409. */
export class AnswerExpired extends Error {
  override readonly name = 'AnswerExpired';
}

/** How long another process is waited for that answers the same request, and how long a process that is gone holds the others up. */
const waitedMs = 10_000;
const heldMs = 15_000;
const keptMs = 24 * 60 * 60 * 1_000;

/** @param options.isShared whether other processes may be asked the same: then one of them answers, and the others wait for it */
export function createIdempotency(options: {
  readonly executor: Executor;
  readonly vault: Pick<Vault, 'get' | 'put' | 'putIfAbsent' | 'delete' | 'fingerprint'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly isShared?: boolean;
}): Idempotency {
  const { executor, vault, clock, log, isShared = false } = options;
  type Outcome = Awaited<ReturnType<Idempotency['run']>>;
  const running = new Map<string, { readonly bodyHash: string; readonly outcome: Promise<Outcome> }>();

  /**
   * One process at a time. Were two at it, their effects would still be one, since they derive from one id; but their answers would be two.
   * @throws {TooBusy} when another takes too long
   */
  async function alone(id: string, run: () => Promise<Outcome>): Promise<Outcome> {
    if (!isShared) return run();
    const key = { kind: 'command-running', name: id };
    const end = clock.monotonic() + waitedMs;
    const take = () =>
      vault.putIfAbsent(key, new Uint8Array(), { expiresAt: new Date(clock.now() + heldMs) });
    for (let asked = 1; !(await take()); asked += 1) {
      if (clock.monotonic() >= end) throw new TooBusy('the same request is being answered elsewhere');
      await new Promise<void>((resolve) => void clock.after(backoff(asked, 20, 250), resolve));
    }
    try {
      return await run();
    } finally {
      await vault.delete(key).catch((error: unknown) => {
        log.warn({ err: error, commandId: id }, 'a key could not be let go of; that ends by itself');
      });
    }
  }

  async function runOnce(
    request: KeyedRequest,
    id: string,
    bodyHash: string,
    execute: Parameters<Idempotency['run']>[1],
  ): Promise<Outcome> {
    const before = (await executor.load(commandRecord, id)).state;
    const record = await append(request, id, before, (state) => receive(state, bodyHash));
    if (record.bodyHash !== bodyHash) throw new IdempotencyKeyReused('the key came with another body before');
    const kept = before.phase === 'new' ? null : await keptAnswer(id, before);
    if (kept) {
      // Decided, perhaps by a server that ended before it could say so in the log.
      await append(request, id, record, (state) => settle(state, kept.status));
      return { answer: kept, replayed: true };
    }
    // A released key may have come with another body before, whose effects are not this one's.
    const commandId = record.firstBodyHash === bodyHash ? id : derivedId(id, bodyHash);
    const answer = await execute({ commandId, mayRepeat: before.phase !== 'new' }).catch(
      async (error: unknown) => {
        await append(request, id, record, (state) => settle(state, 500)).catch((failed: unknown) =>
          log.warn({ err: failed, commandId: id }, 'a key could not be released; its next use does it'),
        );
        throw error;
      },
    );
    if (isDecided(answer.status)) await keep(id, answer);
    await append(request, id, record, (state) => settle(state, answer.status));
    return { answer, replayed: false };
  }

  async function append(
    { tenant, actor, correlationId }: KeyedRequest,
    id: string,
    { steps }: CommandRecord,
    decide: (state: CommandRecord) => Decision<CommandEvent>,
  ): Promise<CommandRecord> {
    const context = step({ commandId: id, correlationId, actor }, `record ${steps}`);
    return (await executor.execute({ aggregate: commandRecord, id, tenant, context, decide })).state;
  }

  async function keptAnswer(id: string, before: CommandRecord): Promise<Answer | null> {
    if (before.phase === 'released') return null;
    const sealed = await vault.get({ kind: 'command-answer', name: id });
    if (sealed) return Answer.parse(JSON.parse(Buffer.from(sealed).toString()));
    if (before.phase === 'received') return null;
    throw new AnswerExpired('this request was answered before, and its answer is no longer kept');
  }

  async function keep(id: string, answer: Answer): Promise<void> {
    const expiresAt = new Date(clock.now() + keptMs);
    await vault.put({ kind: 'command-answer', name: id }, Buffer.from(JSON.stringify(answer)), { expiresAt });
  }

  return {
    async run(request, execute) {
      const { principal, method, path, key, body } = request;
      const id = derivedId('command', principal, method, path, key);
      const digest = createHash('sha256').update(body).digest('hex');
      const bodyHash = await vault.fingerprint('command-body', digest);
      const other = running.get(id);
      if (other && other.bodyHash !== bodyHash)
        throw new IdempotencyKeyReused('the key is in use with another body');
      if (other) return { answer: (await other.outcome).answer, replayed: true };
      const outcome = alone(id, () => runOnce(request, id, bodyHash, execute)).finally(() =>
        running.delete(id),
      );
      running.set(id, { bodyHash, outcome });
      return outcome;
    },
  };
}
