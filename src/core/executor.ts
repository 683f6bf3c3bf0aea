/** The one way commands reach the log: load, decide, append; again, a bounded number of times, when another was faster. */
import type { Aggregate } from '../domain/event.ts';
import type { Decision, Refusal } from '../domain/refusal.ts';
import type { Actor, ExpectedRevision, Position } from '../ports/event-store.ts';
import type { Precondition } from './precondition.ts';

/** Who asks for what, for the metadata of every event it leads to. */
export interface CommandContext {
  /** UUID. Ids of events derive from it, so a repeated command has the same effect once. */
  readonly commandId: string;
  readonly correlationId: string;
  readonly actor: Actor;
  /**
   * Set when this command may have been executed before and its effect may lie far behind (a repeated Idempotency-Key): the
   * stream is then searched for it first, and a repetition is answered as it was the first time, without deciding again.
   */
  readonly mayRepeat?: boolean;
  /** What the caller has seen of what the command changes; a decision is held to it by `conditional` of precondition.ts. */
  readonly precondition?: Precondition;
}

export interface Loaded<S> {
  readonly state: S;
  readonly revision: ExpectedRevision;
}

export interface Executed<S, E> extends Loaded<S> {
  /** What this command appended; empty when it had nothing to do. On a repetition, what it appended the first time. */
  readonly events: readonly E[];
  /** Of the last of `events`; null when there are none. */
  readonly position: Position | null;
}

export interface Command<S, E extends { readonly type: string }> {
  readonly aggregate: Aggregate<S, E>;
  /** Without the aggregate's name: the stream is `{aggregate.name}-{id}`. */
  readonly id: string;
  /** Whose fact it will be; null: the platform's. */
  readonly tenant: string | null;
  readonly context: CommandContext;
  /** Called again, with what is so then, when another was faster. @param revision of the stream that `state` is folded from */
  readonly decide: (state: S, revision: ExpectedRevision) => Decision<E>;
}

export interface Executor {
  /** @throws {UnreadableStream} as `execute` does */
  load<S, E extends { readonly type: string }>(aggregate: Aggregate<S, E>, id: string): Promise<Loaded<S>>;
  /**
   * One command writes one stream once. A command of several steps derives a context for each (`step` of context.ts).
   * @throws {CommandRefused} when the decision is a refusal; {TooContended} when others were faster too often;
   * {UnreadableStream} when the stream holds an event that this version of the program cannot read; {StoreUnavailable}
   */
  execute<S, E extends { readonly type: string }>(command: Command<S, E>): Promise<Executed<S, E>>;
}

/** A refusal on its way from a command to its caller. */
export class CommandRefused extends Error {
  override readonly name = 'CommandRefused';
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

/** Every attempt met a conflict. Nothing was appended; the caller may try again. */
export class TooContended extends Error {
  override readonly name = 'TooContended';
}

/** The stream holds an event of a newer program, or one that is damaged. Faces answer 503. */
export class UnreadableStream extends Error {
  override readonly name = 'UnreadableStream';
  readonly stream: string;
  readonly revision: number;
  constructor(stream: string, revision: number, message: string) {
    super(`${stream}@${revision} cannot be read: ${message}`);
    this.stream = stream;
    this.revision = revision;
  }
}
