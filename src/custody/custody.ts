/** What is done with a data folder itself: to verify it, and to carry it elsewhere. */
import { UnusableSecret } from '../adapters/filesystem/generated-secret.ts';
import { UnreadableLog } from '../adapters/sqlite/event-store-schema.ts';
import { StoreLocked } from '../adapters/sqlite/folder-lock.ts';
import { UnusableSeals } from '../adapters/sqlite/seal-leaves.ts';
import { WrongMasterKey } from '../adapters/vault/keys.ts';
import { Option } from 'commander';
import { Refused } from '../client/api.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { Clock } from '../ports/clock.ts';
import { UnreadableMoves } from '../ports/seals.ts';
import { type EventStore, StoreUnavailable } from '../ports/event-store.ts';

export interface Custody {
  readonly clock: Clock;
  /** Settings that say that log or vault are not in a data folder, which alone is backed up and restored. */
  readonly elsewhere: readonly string[];
  /** Where the settings say that packages are; null: in the data folder. */
  readonly openRemoteBlobs: () => Blobs | null;
  /** Where the settings say that the log is; null: in the data folder. @throws {StoreUnavailable} */
  readonly openRemoteLog: () => Promise<EventStore | null>;
  /** Ends the program with a sentence. */
  readonly fail: (sentence: string, code: number) => never;
  /** Whether somebody looks on: then long work tells how far it is. */
  readonly isTerminal: boolean;
}

/** What scripts can go by: it could not be done; it was done, and the log or a proof does not hold. */
export const exitCodes = { refused: 1, wrongOptions: 2, broken: 3 } as const;

const told = [
  ...[Refused, StoreLocked, StoreUnavailable],
  ...[UnreadableLog, UnusableSeals, UnreadableMoves, UnusableSecret, WrongMasterKey],
];

/** What a person can mend ends the command with a sentence. */
export async function inSentences({ fail }: Custody, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    if (told.some((kind) => error instanceof kind)) fail(error.message, exitCodes.refused);
    const code = 'code' in error ? String(error.code) : '';
    const path = 'path' in error ? String(error.path) : '';
    if (code === 'ENOENT') fail(`There is no ${path}.`, exitCodes.refused);
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
      fail(`${path} must not be read or written by this user.`, exitCodes.refused);
    if (isFull(error, code))
      fail('The disk is full, or does not take more: nothing was left half-done.', exitCodes.refused);
    throw error;
  }
}

/** @throws {Refused} where a folder would not be all of it */
export function refuseElsewhere({ elsewhere }: Custody): void {
  if (elsewhere.length === 0) return;
  throw new Refused(
    `${elsewhere.join(', ')}: the platform of these settings is not in a folder, so that its backup is one of its stores: see docs/operations.md. For a folder, unset what says so.`,
  );
}

/** Closes them when the work is done. */
export async function withRemoteBlobs<T>(
  { openRemoteBlobs }: Custody,
  work: (blobs: Blobs | null) => Promise<T>,
): Promise<T> {
  const blobs = openRemoteBlobs();
  try {
    return await work(blobs);
  } finally {
    await blobs?.close();
  }
}

/** What takes a log's file as it is. @throws {Refused} when it is kept in no file */
export function refuseRemoteLog({ elsewhere }: Custody, what: string): void {
  if (elsewhere.includes('EVENTSTORE_URL'))
    throw new Refused(
      `EVENTSTORE_URL: the log is kept by EventStoreDB, and ${what}. Unset it for a data folder that has its own log.`,
    );
}

/** Also of SQLite: SQLITE_FULL and SQLITE_IOERR. */
function isFull(error: Error, code: string): boolean {
  const sqlite = 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  return ['ENOSPC', 'EFBIG', 'EDQUOT'].includes(code) || sqlite === 13 || sqlite === 10;
}

/** Where the server would look too. */
export function dataOption(description: string): Option {
  return new Option('--data <folder>', description).env('SLIPWAY_DATA_DIR').default('./data');
}

export function headsOption(description: string): Option {
  return new Option('--heads <file>', description).env('SLIPWAY_SEAL_FILE');
}
