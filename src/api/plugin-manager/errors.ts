/** Problems as the Plugin Manager's document spells them ("Error Responses"), with the codes that decisions 14 adds. */
import { z } from 'zod';
import type { ProblemRenderer } from '../http/exchange.ts';
import type { ProblemKind } from '../http/problem.ts';
import * as examples from './answer-examples.ts';

const spelling: Readonly<Record<ProblemKind, readonly [status: number, code: string]>> = {
  Invalid: [400, 'VALIDATION_ERROR'],
  DependencyConflict: [400, 'DEPENDENCY_CONFLICT'],
  Unauthenticated: [401, 'UNAUTHORIZED'],
  Forbidden: [403, 'FORBIDDEN'],
  NotFound: [404, 'NOT_FOUND'],
  MethodNotAllowed: [405, 'METHOD_NOT_ALLOWED'],
  Conflict: [409, 'CONFLICT'],
  PreconditionFailed: [412, 'PRECONDITION_FAILED'],
  PayloadTooLarge: [413, 'PAYLOAD_TOO_LARGE'],
  UnsupportedMediaType: [415, 'UNSUPPORTED_MEDIA_TYPE'],
  IdempotencyKeyReused: [422, 'IDEMPOTENCY_KEY_REUSED'],
  UpgradeRequired: [426, 'UPGRADE_REQUIRED'],
  RateLimited: [429, 'RATE_LIMIT_EXCEEDED'],
  Internal: [500, 'INTERNAL_ERROR'],
  Unavailable: [503, 'SERVICE_UNAVAILABLE'],
};

const codes = [...new Set(Object.values(spelling).map(([, code]) => code))];

export const ErrorBody = z
  .strictObject({
    error: z.strictObject({
      code: z.enum(codes),
      message: z.string(),
      details: z.array(z.strictObject({ field: z.string(), message: z.string() })),
      traceId: z.string(),
      timestamp: z.iso.datetime(),
    }),
  })
  .meta({ id: 'Error', example: examples.error });

export const pluginManagerErrors: ProblemRenderer = ({ kind, message, details }, trace) => {
  const [status, code] = spelling[kind];
  return { status, body: { error: { code, message, details, ...trace } } };
};
