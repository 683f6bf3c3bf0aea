/** Everything that can be wrong with a request, in the kernel's own words. Each face spells it as its document does. */
import { CommandRefused } from '../../core/executor.ts';
import type { RefusalKind } from '../../domain/refusal.ts';

export type ProblemKind =
  | RefusalKind
  | 'Unauthenticated'
  | 'MethodNotAllowed'
  | 'PayloadTooLarge'
  | 'UnsupportedMediaType'
  | 'IdempotencyKeyReused'
  /** The path speaks another protocol than HTTP. */
  | 'UpgradeRequired'
  | 'RateLimited'
  | 'Unavailable'
  /** A defect of ours. Nothing of it is told. */
  | 'Internal';

export interface FieldProblem {
  /** As the caller wrote it: `version.dependencies[0].versionConstraint`. */
  readonly field: string;
  readonly message: string;
}

/** Thrown by the kernel and by handlers; a person reads the message. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly kind: ProblemKind;
  readonly details: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;
  /** Of RateLimited, where a limit of requests was it: how many a window has, and when it ends (milliseconds since 1970 UTC). */
  readonly exceeded: { readonly limit: number; readonly resetAt: number } | null;
  constructor(
    kind: ProblemKind,
    message: string,
    more: {
      readonly details?: readonly FieldProblem[];
      readonly headers?: Readonly<Record<string, string>>;
      readonly exceeded?: Problem['exceeded'];
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: more.cause });
    this.kind = kind;
    this.details = more.details ?? [];
    this.headers = more.headers ?? {};
    this.exceeded = more.exceeded ?? null;
  }
}

const unavailable = 'The service cannot do this just now; try again';

/** Errors of the core by their names, so that the kernel need not know who throws them. */
const known: Readonly<Record<string, readonly [ProblemKind, string]>> = {
  TooContended: ['Unavailable', unavailable],
  StoreUnavailable: ['Unavailable', unavailable],
  UnreadableStream: ['Unavailable', unavailable],
  NotThereYet: ['Unavailable', 'The read models have not reached the position asked for; try again'],
  StillBuilding: ['Unavailable', 'The read model is still being built; try again'],
  LedElsewhere: ['Unavailable', 'Another process of the platform does this; ask that one'],
  IdempotencyKeyReused: [
    'IdempotencyKeyReused',
    'This Idempotency-Key was used for another request; use a new one',
  ],
  TooBusy: ['Unavailable', unavailable],
  TooManyWaiting: ['Unavailable', 'Too many wait for news here already; ask again later'],
  TokenRefused: ['Unauthenticated', 'The token is not valid, or not any longer; log in again'],
  ApiKeyRefused: ['Unauthenticated', 'The API key is not valid, or not any longer'],
  WrongCredentials: ['Unauthenticated', 'Username or password is wrong'],
  AnswerExpired: [
    'Conflict',
    'This request was answered before, and its answer is no longer kept; look at what it did, or use a new Idempotency-Key',
  ],
  URIError: ['Invalid', 'The path holds a malformed percent-encoding'],
};

/** What an error means to the one who asked. @returns kind `Internal` for what nobody expected, `cause` for the log */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof CommandRefused) {
    const { refused, message, details, retryAfterSeconds: wait } = error.refusal;
    const headers = wait === undefined ? {} : { 'Retry-After': String(wait) };
    return new Problem(refused, message, { details, headers });
  }
  const name = error instanceof Error ? error.name : '';
  const [kind, message] = (Object.hasOwn(known, name) ? known[name] : undefined) ?? [
    'Internal',
    'Something went wrong on our side; quote the traceId when you report it',
  ];
  return new Problem(kind, message, { cause: error });
}
