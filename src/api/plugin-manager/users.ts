/** Who may log in: users of a tenant, for who looks after them, and one's own account. */
import { addUser } from '../../commands/add-user.ts';
import { changePassword } from '../../commands/change-password.ts';
import { changeUser } from '../../commands/change-user.ts';
import type { CreateUserDeps } from '../../commands/create-user.ts';
import type { PasswordTries } from '../../core/password-tries.ts';
import type { Sessions } from '../../core/sessions.ts';
import { refuseSuspended } from '../../commands/refuse-suspended.ts';
import type { UserId } from '../../domain/ids.ts';
import { knownUser, user, type KnownUser } from '../../domain/user.ts';
import type { ReadModels } from '../../ports/read-models.ts';
import { getUser, listUsers, usersProjection } from '../../projections/users.ts';
import { networkOf } from '../http/rate-limiting.ts';
import { route, type Route } from '../http/route.ts';
import { callerOf, idInPath, managerOf, notFound, refuseOtherTenant, scopeOf, sessionOf } from './scope.ts';
import * as schemas from './user-schemas.ts';

export interface UserRoutesDeps extends CreateUserDeps {
  readonly models: ReadModels;
  readonly passwordTries: PasswordTries;
  readonly sessions: Sessions;
}

const tag = 'Users';
const reads = [usersProjection.name];

export function userRoutes(deps: UserRoutesDeps): readonly Route[] {
  return [...ownAccount(deps), ...lookedAfter(deps)];
}

/** The answer about a user as his stream says, which is ahead of every read model. */
async function shown({ vault }: UserRoutesDeps, userId: UserId, known: KnownUser) {
  return schemas.userAnswer(userId, known, {
    email: await vault.openFor(userId, known.email),
    name: known.name === null ? null : await vault.openFor(userId, known.name),
  });
}

function ownAccount(deps: UserRoutesDeps): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/users/me',
      operationId: 'getOwnAccount',
      summary: 'Show who asks',
      tag,
      etag: 'content',
      policy: { permission: 'account:read' },
      reads: [],
      responses: { 200: schemas.OwnAccountAnswer },
      handler: async ({ principal }) => {
        const { userId } = callerOf(principal);
        const known = knownUser((await deps.executor.load(user, userId)).state);
        if (!known) throw notFound('user', userId);
        const body = { ...(await shown(deps, userId, known)), permissions: [...principal.permissions] };
        return { status: 200, body };
      },
    }),
    route({
      method: 'PUT',
      path: '/users/me/password',
      operationId: 'changeOwnPassword',
      summary: 'Change your own password; all other sessions end',
      tag,
      policy: { permission: 'account:write' },
      body: schemas.ChangePasswordBody,
      responses: { 204: null },
      handler: async ({ principal, context, body, address }) => {
        const session = sessionOf(principal);
        const network = networkOf(address);
        const { position } = await changePassword(deps, context, { session, network, ...body });
        return { status: 204, position };
      },
    }),
  ];
}

function lookedAfter(deps: UserRoutesDeps): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/users',
      summary: 'Create a user',
      tag,
      policy: { permission: 'users:write' },
      idempotent: true,
      body: schemas.CreateUserBody,
      responses: { 201: schemas.UserAnswer },
      refusals: ['NotFound'],
      handler: async ({ principal, context, body }) => {
        const { tenantId = callerOf(principal).tenant, name = null, ...rest } = body;
        refuseOtherTenant(principal, tenantId);
        await refuseSuspended(deps.executor, callerOf(principal).tenant);
        const made = await addUser(deps, context, managerOf(principal), { ...rest, tenantId, name });
        return { status: 201, body: await shown(deps, made.userId, made.user), position: made.position };
      },
    }),
    route({
      method: 'GET',
      path: '/users',
      summary: 'List users',
      tag,
      policy: { permission: 'users:read' },
      reads,
      query: schemas.ListUsersQuery,
      responses: { 200: schemas.UserListAnswer },
      handler: async ({ principal, query }) => {
        if (query.tenantId !== undefined) refuseOtherTenant(principal, query.tenantId);
        const { users, total } = await listUsers(deps, scopeOf(principal), query);
        const { limit, offset } = query;
        return { status: 200, body: { users: users.map(schemas.userDetailsAnswer), total, limit, offset } };
      },
    }),
    route({
      method: 'GET',
      path: '/users/:userId',
      summary: 'Show a user',
      tag,
      etag: 'version',
      policy: { permission: 'users:read' },
      reads,
      params: schemas.UserParams,
      responses: { 200: schemas.UserDetailsAnswer },
      handler: async ({ principal, params }) => {
        const userId = idInPath(schemas.MintedUserId, params.userId, 'user');
        const found = await getUser(deps, scopeOf(principal), userId);
        if (!found) throw notFound('user', userId);
        return { status: 200, body: schemas.userDetailsAnswer(found), version: found.revision };
      },
    }),
    route({
      method: 'PATCH',
      path: '/users/:userId',
      summary: "Change a user's role or name, disable or enable a user",
      tag,
      policy: { permission: 'users:write' },
      idempotent: true,
      etag: 'version',
      conditional: 'change',
      params: schemas.UserParams,
      body: schemas.ChangeUserBody,
      responses: { 200: schemas.UserAnswer },
      handler: async ({ principal, context, params, body: change }) => {
        const userId = idInPath(schemas.MintedUserId, params.userId, 'user');
        const by = managerOf(principal);
        await refuseSuspended(deps.executor, callerOf(principal).tenant);
        const { user, revision, position } = await changeUser(deps, context, { userId, by, change });
        return { status: 200, body: await shown(deps, userId, user), version: revision, position };
      },
    }),
  ];
}
