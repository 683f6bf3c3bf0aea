/** Problems as the IDP's document spells them ("Error Codes", "Rate Limit Response"), with the codes that decisions 14 adds. */
import { z } from 'zod';
import { TokenRefused } from '../../core/tokens.ts';
import type { ProblemRenderer } from '../http/exchange.ts';
import type { Problem, ProblemKind } from '../http/problem.ts';

const spelling: Readonly<Record<ProblemKind, readonly [status: number, code: string]>> = {
  Invalid: [400, 'VALIDATION_ERROR'],
  DependencyConflict: [409, 'PLUGIN_DEPENDENCY_ERROR'],
  Unauthenticated: [401, 'UNAUTHORIZED'],
  Forbidden: [403, 'PERMISSION_DENIED'],
  NotFound: [404, 'NOT_FOUND'],
  MethodNotAllowed: [405, 'METHOD_NOT_ALLOWED'],
  Conflict: [409, 'RESOURCE_CONFLICT'],
  PreconditionFailed: [412, 'PRECONDITION_FAILED'],
  PayloadTooLarge: [413, 'PAYLOAD_TOO_LARGE'],
  UnsupportedMediaType: [415, 'UNSUPPORTED_MEDIA_TYPE'],
  IdempotencyKeyReused: [422, 'IDEMPOTENCY_KEY_REUSED'],
  UpgradeRequired: [426, 'UPGRADE_REQUIRED'],
  RateLimited: [429, 'RATE_LIMIT_EXCEEDED'],
  Internal: [500, 'INTERNAL_ERROR'],
  Unavailable: [503, 'SERVICE_UNAVAILABLE'],
};

const Refused = z
  .strictObject({
    error: z.strictObject({
      code: z.string(),
      message: z.string(),
      /** What is wrong, by the name of the field. */
      details: z.record(z.string(), z.string()),
      requestId: z.string(),
      timestamp: z.iso.datetime(),
    }),
  })
  .meta({ id: 'IdpError' });

const TooOften = z
  .strictObject({
    error: z.strictObject({
      code: z.literal('RATE_LIMIT_EXCEEDED'),
      message: z.string(),
      retryAfter: z.int().meta({ description: 'Seconds' }),
      limit: z.int().nullable(),
      reset: z.iso.datetime().nullable(),
    }),
  })
  .meta({ id: 'IdpRateLimitError' });

export const IdpErrorBody = z.union([Refused, TooOften]);

export const idpErrors: ProblemRenderer = (problem, { traceId, timestamp }) => {
  const [status, code] = spelling[problem.kind];
  const { message } = problem;
  if (problem.kind === 'RateLimited')
    return { status, body: { error: { code, message, ...windowOf(problem) } } };
  const details = Object.fromEntries(problem.details.map(({ field, message: wrong }) => [field, wrong]));
  const known = problem.cause instanceof TokenRefused ? 'AUTH_TOKEN_EXPIRED' : code;
  return { status, body: { error: { code: known, message, details, requestId: traceId, timestamp } } };
};

function windowOf({ headers, exceeded }: Problem) {
  return {
    retryAfter: Number(headers['Retry-After'] ?? 60),
    limit: exceeded?.limit ?? null,
    reset: exceeded ? new Date(exceeded.resetAt).toISOString() : null,
  };
}
