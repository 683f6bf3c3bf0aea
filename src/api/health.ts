/**
 * Whether the server lives and whether it may be asked. Public, so they tell nothing that helps an attacker; without a limit, so that
 * nobody who shares an address with a probe can make it fail.
 */
import { z } from 'zod';
import type { Clock } from '../ports/clock.ts';
import type { Answer } from './http/answer.ts';
import type { Face } from './http/face.ts';
import { route } from './http/route.ts';
import { ErrorBody, pluginManagerErrors } from './plugin-manager/errors.ts';
import { pluginManagerLimits } from './plugin-manager/face.ts';

/** Where each projection stands compared with the log's end as it was at start. */
export interface Readiness {
  readonly ready: boolean;
  /** It still answers, and soon will no more. */
  readonly stopping: boolean;
  readonly projections: readonly { readonly name: string; readonly ready: boolean }[];
}

const HealthBody = z
  .strictObject({
    status: z.literal('ok'),
    uptimeSeconds: z.int(),
    log: z.enum(['whole', 'damaged']).meta({
      description:
        '`damaged`: something was found that is not as it was sealed; the server goes on, its own log and `slipway audit verify` say what',
    }),
  })
  .meta({ id: 'Health' });

const ReadinessBody = z
  .strictObject({
    status: z.enum(['ready', 'starting', 'stopping']),
    projections: z.array(z.strictObject({ name: z.string(), ready: z.boolean() })),
  })
  .meta({ id: 'Readiness' });

export function healthFace({
  clock,
  readiness,
  isLogWhole,
}: {
  readonly clock: Clock;
  readonly readiness: () => Readiness;
  readonly isLogWhole: () => boolean;
}): Face {
  const started = clock.monotonic();
  const health = async (): Promise<Answer> => ({
    status: 200,
    body: {
      status: 'ok',
      uptimeSeconds: Math.floor((clock.monotonic() - started) / 1000),
      log: isLogWhole() ? 'whole' : 'damaged',
    },
  });
  const alive = {
    method: 'GET',
    summary: 'Whether the server lives',
    tag: 'Health',
    policy: 'public',
    limit: 'none',
    responses: { 200: HealthBody },
    handler: health,
  } as const;

  return {
    name: 'health',
    prefix: '',
    errors: pluginManagerErrors,
    errorBody: ErrorBody,
    limits: pluginManagerLimits,
    tags: { Health: 'Whether the server lives, and whether it may be asked.' },
    routes: [
      route({ ...alive, path: '/health' }),
      route({ ...alive, path: '/api/v1/health', operationId: 'getApiHealth' }),
      route({
        method: 'GET',
        path: '/ready',
        summary:
          'Whether the server may be asked: every projection has caught up with the log as it was at start',
        tag: 'Health',
        policy: 'public',
        limit: 'none',
        responses: { 200: ReadinessBody, 503: ReadinessBody },
        handler: async () => {
          const { ready, stopping, projections } = readiness();
          const begun = ready ? 'ready' : 'starting';
          return {
            status: ready && !stopping ? 200 : 503,
            body: { status: stopping ? 'stopping' : begun, projections },
          };
        },
      }),
    ],
  };
}
