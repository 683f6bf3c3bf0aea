/** What a platform is moved from and to, whatever stores it is kept in. */
import type { KeptStream } from '../../adapters/sqlite/log-reader.ts';
import type { Blobs } from '../../ports/blobs.ts';
import type { EventStore, LogPage, Position, RecordedEvent } from '../../ports/event-store.ts';
import type { SealedVault } from '../../ports/sealed-vault.ts';
import type { SealHeads, SealLeaves, SignedMove } from '../../ports/seals.ts';
import type { Vault } from '../../ports/vault.ts';

export interface LogSource extends Pick<EventStore, 'logId' | 'readAll' | 'head' | 'compare'> {
  /** What each stream keeps that does not keep everything; one may be told twice. */
  retentions(): AsyncIterable<KeptStream>;
}

export interface LogTarget {
  readonly logId: string;
  /** Whether a stream may begin above revision 0. */
  readonly takesShortened: boolean;
  /** What is there; not to be asked between `add` and `flush`. */
  readAll(options: { readonly after: Position | null; readonly limit: number }): Promise<LogPage>;
  /**
   * Adds an event behind all others. May resolve before it is durable.
   * @throws {Refused} when it cannot follow them
   */
  add(event: RecordedEvent): Promise<void>;
  /** Everything that was added is durable when it resolves. */
  flush(): Promise<void>;
  retain(kept: KeptStream): Promise<void>;
}

export interface Source {
  readonly log: LogSource;
  readonly leaves: SealLeaves;
  readonly heads: SealHeads;
  readonly moves: readonly SignedMove[];
  readonly vault: SealedVault;
  readonly blobs: Blobs;
  /** Whether a process is known to serve the platform from elsewhere. */
  inUse(): Promise<boolean>;
  /** What is damaged though it can be read in order; null: nothing is known to be. */
  damage(): string | null;
  close(): Promise<void>;
}

export interface Target {
  readonly log: LogTarget;
  readonly vault: SealedVault;
  /** The same vault, opened under the key. @throws {WrongMasterKey} */
  openVault(masterKey: Uint8Array): Promise<Vault>;
  readonly blobs: Blobs;
  close(): Promise<void>;
}
