/** Why a decision said no, in words for the one who asked. Faces translate the kind into their statuses and codes. */

export type RefusalKind =
  /** What was asked breaks a rule by itself. */
  | 'Invalid'
  | 'DependencyConflict'
  | 'Forbidden'
  | 'NotFound'
  /** It contradicts what is already so. */
  | 'Conflict'
  /** The caller asked for it on a condition (RFC 9110, 13), which does not hold. */
  | 'PreconditionFailed'
  /** Too much of it lately. */
  | 'RateLimited';

export interface Refusal {
  readonly refused: RefusalKind;
  readonly message: string;
  /** Which fields, named as the caller wrote them (`version.dependencies[0].versionConstraint`), and what is wrong with each. */
  readonly details: readonly { readonly field: string; readonly message: string }[];
  /** Of RateLimited: in how many seconds asking again may succeed. */
  readonly retryAfterSeconds?: number;
}

/** Events (possibly none: a repeated command yields none), or why not. */
export type Decision<E> = readonly E[] | Refusal;

export function refuse(
  refused: RefusalKind,
  message: string,
  ...details: readonly { readonly field: string; readonly message: string }[]
): Refusal {
  return { refused, message, details };
}

export function isRefusal(decision: object): decision is Refusal {
  return 'refused' in decision;
}
