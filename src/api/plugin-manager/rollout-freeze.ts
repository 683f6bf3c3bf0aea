/** All rollouts of the platform standing still, as the Plugin Manager API asks for it. */
import { z } from 'zod';
import { freezeRollouts } from '../../commands/freeze-rollouts.ts';
import type { Executor, Loaded } from '../../core/executor.ts';
import { freeze, freezeId, type FreezeState } from '../../domain/freeze.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Position } from '../../ports/event-store.ts';
import { emailsOf, usersProjection, type UsersDeps } from '../../projections/users.ts';
import { route, type Route } from '../http/route.ts';
import { callerOf } from './scope.ts';

const tag = 'Plugin Deployments';
const path = '/rollout-freeze';
const writing = {
  tag,
  path,
  policy: { permission: 'rollouts:freeze' },
  idempotent: true,
  etag: 'version',
  conditional: 'change',
} as const;

export const FreezeBody = z
  .strictObject({ reason: z.string().trim().min(1).max(1_000) })
  .meta({ example: { reason: 'Black Friday' } });

export const FreezeAnswer = z.object({
  frozen: z.boolean(),
  reason: z.string().nullable(),
  by: z.string().nullable().meta({ description: 'E-mail address, or the id of a user who was forgotten' }),
  since: z.iso.datetime().nullable(),
});

export interface FreezeRoutesDeps extends UsersDeps {
  readonly executor: Executor;
  readonly clock: Pick<Clock, 'now'>;
}

export function rolloutFreezeRoutes(deps: FreezeRoutesDeps): readonly Route[] {
  const shown = async (state: FreezeState): Promise<z.output<typeof FreezeAnswer>> => {
    if (!state) return { frozen: false, reason: null, by: null, since: null };
    const { by, reason, at } = state;
    return { frozen: true, reason, by: (await emailsOf(deps, [by])).get(by) ?? by, since: at };
  };
  const answer = async (is: Loaded<FreezeState> & { readonly position?: Position | null }) => ({
    ...{ status: 200, body: await shown(is.state), version: is.revision },
    position: is.position ?? null,
  });
  return [
    route({
      ...{ policy: { permission: 'deployments:read' }, tag, path, reads: [usersProjection.name] },
      method: 'GET',
      summary: 'Show whether all rollouts stand still, and why',
      etag: 'version',
      responses: { 200: FreezeAnswer },
      handler: async () => answer(await deps.executor.load(freeze, freezeId)),
    }),
    route({
      ...writing,
      method: 'PUT',
      summary: 'Let all rollouts stand still',
      body: FreezeBody,
      responses: { 200: FreezeAnswer },
      handler: async ({ principal, context, body: { reason } }) => {
        const who = { ...context, userId: callerOf(principal).userId };
        return answer(await freezeRollouts(deps, who, { frozen: true, reason }));
      },
    }),
    route({
      ...writing,
      method: 'DELETE',
      summary: 'Let all rollouts go on',
      responses: { 200: FreezeAnswer },
      handler: async ({ principal, context }) => {
        const who = { ...context, userId: callerOf(principal).userId };
        return answer(await freezeRollouts(deps, who, { frozen: false, reason: 'It was lifted' }));
      },
    }),
  ];
}
