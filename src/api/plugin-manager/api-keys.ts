/** API keys: each caller's own. */
import type { z } from 'zod';
import { createApiKey, revokeApiKey, type ApiKeyDeps } from '../../commands/api-keys.ts';
import { agentPermissions } from '../../domain/permissions.ts';
import { knownUser, user } from '../../domain/user.ts';
import type { Principal } from '../http/principal.ts';
import { route, type Route } from '../http/route.ts';
import { callerOf, idInPath, refuseOtherTenant, sessionOf, type AgentPlace } from './scope.ts';
import {
  apiKeyAnswer,
  ApiKeyListAnswer,
  CreateApiKeyBody,
  CreatedApiKeyAnswer,
  KeyParams,
  ListApiKeysQuery,
  MintedKeyId,
} from './user-schemas.ts';

const tag = 'API keys';
const dayMs = 24 * 3_600_000;
const defaultDays = 90;

export function apiKeyRoutes(deps: ApiKeyDeps): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/api-keys',
      summary: 'Create an API key; it is shown once',
      tag,
      policy: { permission: 'api-keys:write' },
      // Not idempotent: an answer that is kept would keep the key.
      body: CreateApiKeyBody,
      responses: { 201: CreatedApiKeyAnswer },
      refusals: ['NotFound', 'Conflict'],
      handler: async ({ principal, context, body }) => {
        const { userId } = sessionOf(principal);
        const scope = body.scope ? placeOf(body.scope, principal) : null;
        const { name, permissions = byDefault(principal, scope), expiresInDays = defaultDays } = body;
        const expiresAt = new Date(body.expiresAt ?? deps.clock.now() + expiresInDays * dayMs);
        const wanted = { name, permissions, scope, expiresAt };
        const { key, secret, position } = await createApiKey(
          deps,
          context,
          userId,
          principal.permissions,
          wanted,
        );
        return { status: 201, body: { ...apiKeyAnswer(key), key: secret }, position };
      },
    }),
    route({
      method: 'GET',
      path: '/api-keys',
      summary: 'List your API keys, never what they are',
      tag,
      policy: { permission: 'api-keys:read' },
      reads: [],
      query: ListApiKeysQuery,
      responses: { 200: ApiKeyListAnswer },
      handler: async ({ principal, query: { limit, offset } }) => {
        const { state } = await deps.executor.load(user, callerOf(principal).userId);
        const newestFirst = (knownUser(state)?.apiKeys ?? []).toReversed();
        const apiKeys = newestFirst.slice(offset, offset + limit).map(apiKeyAnswer);
        return { status: 200, body: { apiKeys, total: newestFirst.length, limit, offset } };
      },
    }),
    route({
      method: 'DELETE',
      path: '/api-keys/:keyId',
      summary: 'Revoke an API key; it is refused at once',
      tag,
      policy: { permission: 'api-keys:write' },
      idempotent: true,
      params: KeyParams,
      responses: { 204: null },
      handler: async ({ principal, context, params }) => {
        const keyId = idInPath(MintedKeyId, params.keyId, 'API key');
        const { position } = await revokeApiKey(deps, context, callerOf(principal).userId, keyId);
        return { status: 204, position };
      },
    }),
  ];
}

type Scope = NonNullable<z.output<typeof CreateApiKeyBody>['scope']>;

function placeOf({ tenantId, environment }: Scope, principal: Principal): AgentPlace {
  const tenant = tenantId ?? callerOf(principal).tenant;
  refuseOtherTenant(principal, tenant);
  return { tenant, environment };
}

/** All that the caller has and that goes with the scope. */
function byDefault({ permissions }: Principal, scope: AgentPlace | null): readonly string[] {
  const ofAgents = new Set<string>(agentPermissions);
  return [...permissions].filter((permission) => ofAgents.has(permission) === (scope !== null));
}
