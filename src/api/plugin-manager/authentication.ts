/** Logging in, as the Plugin Manager API shows it ("Authentication"), and out again. */
import { z } from 'zod';
import { logIn, type LogInDeps } from '../../commands/log-in.ts';
import { Role } from '../../domain/permissions.ts';
import { networkOf } from '../http/rate-limiting.ts';
import { route, type Route } from '../http/route.ts';
import * as examples from './answer-examples.ts';
import { sessionOf } from './scope.ts';

/** Decisions 7: a session of this face lives a day. */
const lifetimeSeconds = 24 * 60 * 60;

export const LogInBody = z
  .strictObject({
    username: z.string().min(1).max(320).meta({ description: 'The e-mail address' }),
    password: z.string().min(1).max(1_024),
  })
  .meta({ example: { username: 'admin@example.com', password: 'Admin123!' } });

export const LoggedInAnswer = z
  .object({
    token: z.string().meta({ description: 'To be sent as Authorization: Bearer {token}' }),
    expiresAt: z.iso.datetime().meta({ example: '2025-11-24T12:00:00.000Z' }),
    user: z.object({ username: z.string(), role: Role, userId: z.string(), tenantId: z.string() }),
  })
  .meta({ id: 'LoggedIn', example: examples.loggedIn });

export function authenticationRoutes(deps: LogInDeps): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/authentication/login',
      operationId: 'logIn',
      summary: 'Log in: a session token for an e-mail address and a password',
      tag: 'Authentication',
      policy: 'public',
      body: LogInBody,
      responses: { 200: LoggedInAnswer },
      refusals: ['Unauthenticated'],
      handler: async ({ body, address }) => {
        const network = networkOf(address);
        const { token, expiresAt, user } = await logIn(deps, { ...body, network, lifetimeSeconds });
        const { username, role, userId, tenantId } = user;
        const answer: z.output<typeof LoggedInAnswer> = {
          token,
          expiresAt: expiresAt.toISOString(),
          user: { username, role, userId, tenantId },
        };
        return { status: 200, body: answer };
      },
    }),
    route({
      method: 'POST',
      path: '/authentication/logout',
      operationId: 'logOut',
      summary: 'Log out: the session of the token ends at once',
      tag: 'Authentication',
      policy: { permission: 'account:write' },
      responses: { 204: null },
      handler: async ({ principal }) => {
        await deps.sessions.end(sessionOf(principal));
        return { status: 204 };
      },
    }),
  ];
}
