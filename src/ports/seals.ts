/** What the sealer keeps beside the log: a leaf for every event that was sealed, which outlives it, and the signed heads. */
import type { Position } from './event-store.ts';

/** SHA-256, 32 bytes. */
export type Hash = Uint8Array;

export interface NewLeaf {
  readonly position: Position;
  readonly stream: string;
  readonly revision: number;
  /** `metadata.at` of the event: says whether retention may have removed it. */
  readonly at: string;
  /** Of the event's id, type, data and metadata. */
  readonly content: Hash;
  /** Of the leaf, as it goes into the tree. */
  readonly hash: Hash;
}

export interface Leaf extends NewLeaf {
  /** From 0, in the order of the log. */
  readonly index: number;
}

export interface TreeNode {
  readonly level: number;
  readonly index: number;
  readonly hash: Hash;
}

/** Where a comparison of all leaves with the log goes on. */
export interface CheckMark {
  /** The index of a leaf; 0 at first. */
  readonly next: number;
  /** At or behind which leaf something was found that is not as it was sealed; null: nothing was. */
  readonly broken: number | null;
}

/** The leaves of one log, and hashes of complete subtrees over them. Local to who seals; calls are short and answer at once. */
export interface SealLeaves {
  /** How many leaves there are. */
  size(): number;
  /** Adds both in one transaction. What a power cut takes is sealed again from the log. */
  append(leaves: readonly NewLeaf[], nodes: readonly TreeNode[]): void;
  /** Forgets the leaves from an index on: what no head has sealed may have been torn off the log. */
  truncate(size: number): void;
  /** Leaves from an index on. */
  page(from: number, limit: number): readonly Leaf[];
  find(position: Position): Leaf | null;
  /** The hash of a leaf (level 0) or of a node that was added. @throws {RangeError} when there is none */
  hashAt(level: number, index: number): Hash;
  /** How far they were compared with the log. */
  checked(): CheckMark;
  /** Remembers that over a restart. */
  check(mark: CheckMark): void;
  close(): void;
}

/** A head of the tree, signed. Times are ISO 8601; `root` is hex, `key` and `signature` are base64url. */
export interface SignedHead {
  /** `EventStore.logId`. */
  readonly log: string;
  /** How many events it seals: all from the log's start. */
  readonly size: number;
  readonly root: string;
  /** Of the last event that it seals. */
  readonly position: Position;
  readonly at: string;
  /** The public key (Ed25519, 32 bytes). */
  readonly key: string;
  readonly signature: string;
}

/** A head before it is signed. */
export type TreeHead = Pick<SignedHead, 'size' | 'root' | 'position'>;

/** Who gives the events of a log their leaves: in a thread of its own where the log's file lets another read it. */
export interface LeafMaker {
  /**
   * Makes the leaves that are missing. Calls come one at a time.
   * @returns the head over all that was in the log when asked; null: nothing @throws {StoreUnavailable} safe to repeat
   */
  make(): Promise<TreeHead | null>;
  close(): Promise<void>;
}

/**
 * That one log continues another in another store, signed like a head: the first leaves of both are the same, in the same order; only
 * their positions differ.
 */
export interface SignedMove {
  /** `EventStore.logId` of the log that was moved. */
  readonly from: string;
  /** And of the log that continues it. */
  readonly to: string;
  /** How many leaves went along: all that there were. */
  readonly size: number;
  /** Streams that could not go along, and up to which revision: of their leaves the events are gone. */
  readonly left: readonly { readonly stream: string; readonly through: number }[];
  readonly at: string;
  readonly key: string;
  readonly signature: string;
}

/** Where signed heads go: outside the log, so that who rewrites it does not rewrite them too. */
export interface SealHeads {
  /** Durable when it resolves. */
  append(head: SignedHead): Promise<void>;
  /** All of them in order. What is no head is yielded as the number of its line. */
  read(): AsyncIterable<SignedHead | { readonly unreadableLine: number }>;
  /** Null before the first. */
  last(): Promise<SignedHead | null>;
}

/** Where moves of the log are kept: beside its leaves. */
export interface SealMoves {
  /** All of them in order. @throws {UnreadableMoves} */
  all(): Promise<readonly SignedMove[]>;
  /** Replaces them; whole or not at all, durable when it resolves. */
  replace(moves: readonly SignedMove[]): Promise<void>;
}

/** The file was damaged. The message says what to do. */
export class UnreadableMoves extends Error {
  override readonly name = 'UnreadableMoves';
}
