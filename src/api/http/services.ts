/** What the kernel needs from the rest of the server; the container provides it. */
import type { Logger } from 'pino';
import type { CommandContext } from '../../core/executor.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Actor, Json, Position } from '../../ports/event-store.ts';
import type { Principal } from './principal.ts';

/** Read your own writes. */
export interface Consistency {
  /** The principal's next reads should see what was written up to here. */
  reached(principal: string, position: Position): void;
  /**
   * Waits until a read may be answered. @param question.position what the request itself asked for, if it did
   * @returns whether the answer may miss what the principal wrote last
   * @throws {NotThereYet} when the request's own position was not reached in time; {ForeignPosition} when it is of another log
   */
  wait(question: {
    readonly principal: string;
    readonly projections: readonly string[] | 'all';
    readonly position: Position | null;
  }): Promise<{ readonly stale: boolean }>;
}

export interface KeyedRequest {
  /** User id. */
  readonly principal: string;
  readonly tenant: string;
  readonly method: string;
  /** With the query, as it was sent. */
  readonly path: string;
  readonly key: string;
  readonly body: Uint8Array;
  readonly actor: Actor;
  readonly correlationId: string;
}

/** An answer as it is kept for repetitions. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON text of the body; null when there is none. */
  readonly body: Json;
}

export interface Idempotency {
  /**
   * Runs once for each (principal, method, path, key); a repetition gets the kept answer.
   * @throws {IdempotencyKeyReused} when the body is another one, and what `execute` throws: such an answer is not kept
   */
  run(
    request: KeyedRequest,
    execute: (identity: Pick<CommandContext, 'commandId'>) => Promise<KeptAnswer>,
  ): Promise<{ readonly answer: KeptAnswer; readonly replayed: boolean }>;
}

export interface HttpServices {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whose token it is. @throws {TokenRefused} when it is not good, or its session has ended */
  readonly authenticate: (token: string) => Promise<Principal>;
  readonly consistency: Consistency;
  readonly idempotency: Idempotency;
  /** Largest body in bytes; default 1 MiB. */
  readonly maxBodyBytes?: number;
}
