/** How sockets say no: the error codes of the IDP's document, and one of their own. */
import type { ProblemKind } from '../http/problem.ts';

export type ErrorCode =
  | 'AUTH_INVALID_CREDENTIALS'
  | 'AUTH_TOKEN_EXPIRED'
  | 'PERMISSION_DENIED'
  | 'POSITION_UNKNOWN'
  | 'RATE_LIMIT_EXCEEDED'
  | 'VALIDATION_ERROR'
  | 'SERVICE_UNAVAILABLE'
  | 'INTERNAL_ERROR';

const codes: Partial<Record<ProblemKind, ErrorCode>> = {
  Invalid: 'VALIDATION_ERROR',
  Unauthenticated: 'AUTH_INVALID_CREDENTIALS',
  Forbidden: 'PERMISSION_DENIED',
  Unavailable: 'SERVICE_UNAVAILABLE',
};

export function errorCode(kind: ProblemKind): ErrorCode {
  return codes[kind] ?? 'INTERNAL_ERROR';
}

/** As the IDP's document shows errors. */
export interface ErrorBody {
  readonly code: ErrorCode;
  /** For people. */
  readonly message: string;
  /** By field. */
  readonly details: Readonly<Record<string, string>>;
  readonly requestId: string;
  /** ISO 8601. */
  readonly timestamp: string;
}
