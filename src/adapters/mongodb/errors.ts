/** What errors of MongoDB's driver mean. */
import { MongoError, MongoServerError } from 'mongodb';
import { StoreUnavailable } from '../../ports/event-store.ts';

/** Codes are portable between servers, texts are not: https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml */
export const CODES = {
  ...{ unauthorized: 13, authenticationFailed: 18 },
  ...{ namespaceExists: 48, duplicateKey: 11_000 },
} as const;

/** BadValue, FailedToParse, TypeMismatch, CommandNotFound, InvalidOptions, BSONObjectTooLarge: what was asked is wrong, and would be again. */
const DEFECTS: readonly unknown[] = [2, 9, 14, 59, 72, 10_334];

export function hasCode(error: unknown, code: number): boolean {
  return error instanceof MongoServerError && error.code === code;
}

/** Trying again may help: the connection was lost, another is the primary now, or somebody else was writing. */
export function isPassing(error: unknown): boolean {
  if (!(error instanceof MongoError)) return false;
  if (!(error instanceof MongoServerError)) return true;
  return (
    ['TransientTransactionError', 'UnknownTransactionCommitResult', 'RetryableWriteError'].some((label) =>
      error.hasErrorLabel(label),
    ) || PASSING.includes(error.code)
  );
}

/** HostUnreachable, HostNotFound, NetworkTimeout, ShutdownInProgress, WriteConflict, NotWritablePrimary and its like, NoSuchTransaction, DuplicateKey of two upserts. */
const PASSING: readonly unknown[] = [
  ...[6, 7, 89, 91, 112, 189, 251, 9001, 10_107, 11_600, 11_602, 13_435, 13_436],
  CODES.duplicateKey,
];

export function asUnavailable(error: unknown): unknown {
  if (!(error instanceof MongoError)) return error;
  if (error instanceof MongoServerError && DEFECTS.includes(error.code)) return error;
  const code = error instanceof MongoServerError ? `${error.name} ${String(error.code)}` : error.name;
  return new StoreUnavailable(`MongoDB could not be asked: ${code}`, { cause: error });
}

/** In what is told to whoever set the variable. The address is not shown: it holds a password. */
export function unconnected(error: unknown, serverWithin: number): StoreUnavailable {
  const { cause = error } = error instanceof StoreUnavailable ? error : {};
  const code = cause instanceof MongoServerError ? cause.code : undefined;
  if (code === CODES.authenticationFailed || code === CODES.unauthorized)
    return new StoreUnavailable(
      'MONGODB_URL: the server does not take the user and password, or lets them not write here; authSource=admin says that the user is of another database',
      { cause },
    );
  if (cause instanceof MongoServerError)
    return new StoreUnavailable(`MONGODB_URL: the server answered ${String(code)}`, { cause });
  return new StoreUnavailable(
    `MONGODB_URL: no server that can be written to was found within ${serverWithin / 1_000} seconds: is it up, can it be reached from here, and has its replica set a primary?`,
    { cause },
  );
}

/** Whatever the driver has against it before it has asked anybody. */
export function noAddress(cause: unknown): StoreUnavailable {
  return new StoreUnavailable(
    'MONGODB_URL: this is no address of a MongoDB, or has an option that there is not; user and password are percent-encoded in it',
    { cause },
  );
}
