/**
 * The log: the only truth. The contract is EventStoreDB's; `test/contract/event-store.ts` holds every adapter to it.
 */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Who acted: a user id (`usr_…`) or a part of the platform (`process:rollouts`), and the face it came through. */
export interface Actor {
  readonly id: string;
  readonly face: string;
}

export interface EventMetadata {
  /** Whose fact it is; null: the platform's. */
  readonly tenant: string | null;
  readonly actor: Actor;
  /** One id from the request to its last effect. */
  readonly correlationId: string;
  /** The id of the command that appended the event. */
  readonly causationId: string;
  /** When, as ISO 8601 in UTC with milliseconds. */
  readonly at: string;
  /** Version of the schema of `data`, from 1. */
  readonly schema: number;
}

export interface NewEvent {
  /** UUID. Repeating an append with the same ids at the same place answers as it did the first time. */
  readonly id: string;
  readonly type: string;
  readonly data: JsonObject;
  readonly metadata: EventMetadata;
}

export interface RecordedEvent extends NewEvent {
  readonly stream: string;
  /** From 0, without gaps, never reset by retention. */
  readonly revision: number;
  readonly position: Position;
}

declare const positionBrand: unique symbol;
/** A place in the log, `logId:position`: opaque to everyone but its store. Order two with `EventStore.compare`. */
export type Position = string & { readonly [positionBrand]: true };

/** The exact revision of a stream's last event, or `none` for a stream that never had one. */
export type ExpectedRevision = number | 'none';

export interface Appended {
  /** Of the last event appended. */
  readonly revision: number;
  readonly position: Position;
}

/** Both lists mean "any of"; an absent list means all. Given together, both must match. */
export interface EventFilter {
  readonly streamPrefixes?: readonly string[];
  readonly types?: readonly string[];
}

/** What a search of the log is for: every member that is there must match. No adapter owes an index for it. */
export interface LogSearch {
  /** Any of them. */
  readonly types?: readonly string[];
  /** None of them. */
  readonly notTypes?: readonly string[];
  readonly id?: string;
  /** Null: the platform's. */
  readonly tenant?: string | null;
  /** The id of who acted. */
  readonly actor?: string;
  readonly correlationId?: string;
  readonly causationId?: string;
  /** It is the event's own id, its correlation or its cause. */
  readonly anyId?: string;
  /** An id: somewhere in the data there is exactly this string, or the stream's name ends with it, behind a dash or a dot. */
  readonly about?: string;
}

export interface LogPage {
  readonly events: readonly RecordedEvent[];
  /** Read on after this; it advances past what the filter left out. */
  readonly next: Position;
  /** True when the page reached the end of the log as it was when read. */
  readonly end: boolean;
}

/**
 * What a subscription yields, in log order. `checkpoint` is the position up to which everything that matches has been
 * yielded, also when nothing matched. `live` is true once the subscriber has caught up with the log's end.
 */
export interface SubscriptionBatch {
  readonly events: readonly RecordedEvent[];
  readonly checkpoint: Position;
  readonly live: boolean;
}

export interface SubscribeOptions {
  /** Exclusive; null: from the log's start. */
  readonly after: Position | null;
  readonly filter?: EventFilter;
  /** Ends the iteration; what was yielded stays valid. */
  readonly signal?: AbortSignal;
  /** Most events in a batch, default 500. No adapter holds more than two batches for a slow subscriber. */
  readonly batchSize?: number;
}

/** What a stream keeps. Applied to reads of the stream at once, to disk and `readAll` by `scavenge`. */
export interface Retention {
  readonly maxAgeSeconds?: number;
  readonly maxCount?: number;
  /** Events below this revision are gone. */
  readonly truncateBefore?: number;
}

export interface EventStore {
  /** Identity of this log, minted when it was created: part of every position. */
  readonly logId: string;

  /**
   * Appends one to 1,000 events, all or none, durable (fsynced) when it resolves.
   * @throws {WrongExpectedRevision} when the stream is not at `expected`; nothing is appended
   * @throws {StoreUnavailable} when it could not be written (a full disk); safe to repeat with the same ids
   */
  append(stream: string, expected: ExpectedRevision, events: readonly NewEvent[]): Promise<Appended>;

  /**
   * One page of a stream. `from` is inclusive; forwards it defaults to the first event kept, backwards to the last.
   * A stream that never was reads as empty. @param limit 1..10,000
   */
  readStream(
    stream: string,
    options: {
      readonly from?: number;
      readonly direction?: 'forwards' | 'backwards';
      readonly limit: number;
    },
  ): Promise<readonly RecordedEvent[]>;

  /** One page of the log after `after` (null: from the start). @param limit most events returned, 1..10,000 */
  readAll(options: {
    readonly after: Position | null;
    readonly filter?: EventFilter;
    readonly limit: number;
  }): Promise<LogPage>;

  /**
   * One page of what is looked for. It looks at a bounded number of events, so that a rare thing in a long log takes pages
   * instead of time: a page may be empty and not the last.
   * @param options.direction `forwards`: behind `from` (null: from the start); `backwards`: from `from` itself down (null: from the end)
   * @param options.limit most events returned, 1..10,000
   * @returns `next` is the `from` of the page after it; `end`: the log's end, or backwards its start, was reached
   */
  search(options: {
    readonly direction: 'forwards' | 'backwards';
    readonly from: Position | null;
    readonly where: LogSearch;
    readonly limit: number;
  }): Promise<LogPage>;

  /**
   * Where the log stood at a time: the position of the last event stored at or before it, or a position before the first.
   * Found by halving, so where the clock was set back it is one of the places at which the log showed that time.
   * @param at wall milliseconds
   */
  positionAt(at: number): Promise<Position>;

  /** The log's end: the position of the last event, or a position before the first in an empty log. */
  head(): Promise<Position>;

  /** Catches up, then follows live: no gap and no repeat at the seam. Pull-based, so a slow reader costs no memory. */
  subscribe(options: SubscribeOptions): AsyncIterable<SubscriptionBatch>;

  /** Replaces the stream's retention; `{}` keeps everything. */
  setRetention(stream: string, retention: Retention): Promise<void>;
  retention(stream: string): Promise<Retention>;

  /** Removes from disk what retention has expired. Revisions and positions of the rest do not change. */
  scavenge(): Promise<{ readonly removed: number }>;

  /** Negative when `a` is before `b`. @throws {ForeignPosition} when one of them is of another log */
  compare(a: Position, b: Position): number;

  /** Finishes what is in flight, ends subscriptions, releases the files. Idempotent. */
  close(): Promise<void>;
}

export class WrongExpectedRevision extends Error {
  override readonly name = 'WrongExpectedRevision';
  readonly stream: string;
  readonly expected: ExpectedRevision;
  readonly actual: ExpectedRevision;
  constructor(stream: string, expected: ExpectedRevision, actual: ExpectedRevision) {
    super(`stream ${stream} is at revision ${actual}, expected ${expected}`);
    this.stream = stream;
    this.expected = expected;
    this.actual = actual;
  }
}

/** The store cannot serve just now; the caller may try again. Faces answer 503. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

export class ForeignPosition extends Error {
  override readonly name = 'ForeignPosition';
}

/** An event in the store is not what was written: a reading that comes to it fails. Nothing that was written later is affected. */
export class DamagedEvent extends Error {
  override readonly name = 'DamagedEvent';
  readonly position: Position;
  constructor(at: Position, what: string) {
    super(`the event at ${at} is damaged on disk: ${what}; restore the log from a backup`);
    this.position = at;
  }
}
