/** Who asks: by the token of a session, or by an API key. What is true of the user now decides, not what was true then. */
import { ApiKeyRefused, type ApiKeys } from '../core/api-keys.ts';
import type { Executor } from '../core/executor.ts';
import type { Sessions } from '../core/sessions.ts';
import { TokenRefused, type Tokens } from '../core/tokens.ts';
import { permissionsOf, type Role } from '../domain/permissions.ts';
import { user } from '../domain/user.ts';
import type { Clock } from '../ports/clock.ts';
import type { Principal } from './http/principal.ts';
import type { HttpServices } from './http/services.ts';

export interface AuthenticationDeps {
  readonly executor: Pick<Executor, 'load'>;
  readonly tokens: Tokens;
  readonly sessions: Pick<Sessions, 'isAlive'>;
  readonly apiKeys: Pick<ApiKeys, 'nameOf'>;
  readonly clock: Pick<Clock, 'now'>;
}

export function createAuthentication({
  executor,
  tokens,
  sessions,
  apiKeys,
  clock,
}: AuthenticationDeps): Pick<HttpServices, 'authenticate' | 'authenticateKey'> {
  const permissionsByRole = new Map<Role, ReadonlySet<string>>();
  function allOf(role: Role): ReadonlySet<string> {
    const known = permissionsByRole.get(role) ?? new Set<string>(permissionsOf(role));
    permissionsByRole.set(role, known);
    return known;
  }

  return {
    async authenticate(token): Promise<Principal> {
      const claims = await tokens.verify(token);
      if (!(await sessions.isAlive(claims))) throw new TokenRefused('its session has ended');
      const { userId, tenantId: tenant, role, sessionId } = claims;
      // The state is in memory, and cheaper to ask than a crash between a change and the end of the sessions is to mend.
      const { state } = await executor.load(user, userId);
      if (state.status !== 'Active' || state.role !== role)
        throw new TokenRefused('its user is disabled, or has another role');
      return { userId, tenant, role, sessionId, permissions: allOf(role), scope: null };
    },
    async authenticateKey(key): Promise<Principal> {
      const name = await apiKeys.nameOf(key);
      if (!name) throw new ApiKeyRefused('it is unknown');
      const { userId, keyId } = name;
      const { state } = await executor.load(user, userId);
      const found = state.status === 'Active' ? state.apiKeys.find((other) => other.keyId === keyId) : null;
      if (state.status !== 'Active' || !found)
        throw new ApiKeyRefused('it was revoked, or its user is disabled');
      if (Date.parse(found.expiresAt) <= clock.now()) throw new ApiKeyRefused('it has expired');
      const { tenantId, role } = state;
      const tenant = found.scope?.tenant ?? tenantId;
      // Its user may have been one who crosses tenants, and be none any more.
      const held = tenant === tenantId || role === 'PlatformAdmin' ? allOf(role) : new Set<string>();
      const permissions = new Set(found.permissions.filter((permission) => held.has(permission)));
      const scope = found.scope && { keyId, ...found.scope };
      return { userId, tenant, role, sessionId: null, permissions, scope };
    },
  };
}
