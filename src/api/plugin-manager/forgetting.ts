/** People who are to be forgotten, as staff asks for it. */
import { forgetUser, type ForgetUserDeps } from '../../commands/forget-user.ts';
import { route, type Route } from '../http/route.ts';
import { idInPath, managerOf } from './scope.ts';
import { MintedUserId, UserParams } from './user-schemas.ts';

export function forgettingRoutes(deps: ForgetUserDeps): readonly Route[] {
  return [
    route({
      method: 'DELETE',
      path: '/users/:userId/personal-data',
      operationId: 'forgetUser',
      summary: 'Forget a person for good: name and e-mail address become unreadable everywhere',
      tag: 'Users',
      policy: { permission: 'users:forget' },
      idempotent: true,
      params: UserParams,
      responses: { 204: null },
      refusals: ['NotFound', 'Conflict'],
      handler: async ({ principal, context, params }) => {
        const userId = idInPath(MintedUserId, params.userId, 'user');
        const { position } = await forgetUser(deps, context, { userId, by: managerOf(principal) });
        return { status: 204, position };
      },
    }),
  ];
}
