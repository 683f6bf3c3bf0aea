/** What the kernel needs from the rest of the server; the container provides it. */
import type { Logger } from 'pino';
import type { CommandContext } from '../../core/executor.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Actor, Position } from '../../ports/event-store.ts';
import type { Answer } from './answer.ts';
import type { Principal } from './principal.ts';

/** Read your own writes. Null principal: a public read. */
export interface Consistency {
  /** The principal's next reads should see what was written up to here. */
  remember(principal: string, position: Position): void;
  /**
   * Waits until reads may be answered. @param position what the request itself asked for, if it did
   * @returns whether the answer may miss what the principal wrote last
   * @throws {NotThereYet} when the request's own position was not reached in time; {ForeignPosition} when it is of another log
   */
  ready(principal: string | null, position: Position | null): Promise<{ readonly stale: boolean }>;
}

export interface IdempotentRequest {
  /** User id. */
  readonly principal: string;
  readonly method: string;
  /** With the query, as it was sent. */
  readonly path: string;
  readonly key: string;
  readonly body: Uint8Array;
  readonly actor: Actor;
  readonly correlationId: string;
}

export interface Idempotency {
  /**
   * Runs once for each (principal, method, path, key); a repetition gets the kept answer.
   * @throws {IdempotencyKeyReused} when the body is another one
   */
  run(
    request: IdempotentRequest,
    execute: (context: CommandContext) => Promise<Answer>,
  ): Promise<{ readonly answer: Answer; readonly replayed: boolean }>;
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
