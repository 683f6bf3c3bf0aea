/** Who asks: by the token of a session, or by an API key. What is true of the user now decides, not what was true then. */
import { ApiKeyRefused, type ApiKeyName, type ApiKeys } from '../core/api-keys.ts';
import type { Executor } from '../core/executor.ts';
import type { Sessions } from '../core/sessions.ts';
import { TokenRefused, type SessionClaims, type Tokens } from '../core/tokens.ts';
import { type ApiKeyId, TenantId, UserId } from '../domain/ids.ts';
import { permissionsOf, Role } from '../domain/permissions.ts';
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

/** A principal, and what its being one hangs on. */
export interface Authenticated extends Principal {
  /** The API key that was shown; null: the token of a session was. */
  readonly apiKeyId: ApiKeyId | null;
  /** It is nobody from then on. */
  readonly expiresAt: Date;
}

export interface Authentication extends Pick<HttpServices, 'authenticate' | 'authenticateKey'> {
  /** @throws {TokenRefused} */
  readonly authenticate: (token: string) => Promise<Authenticated>;
  /** @throws {ApiKeyRefused} */
  readonly authenticateKey: (key: string) => Promise<Authenticated>;
  /** Whether who was authenticated before would be again. */
  readonly holds: (known: Authenticated) => Promise<boolean>;
}

export function createAuthentication({
  executor,
  tokens,
  sessions,
  apiKeys,
  clock,
}: AuthenticationDeps): Authentication {
  const permissionsByRole = new Map<Role, ReadonlySet<string>>();
  function allOf(role: Role): ReadonlySet<string> {
    const known = permissionsByRole.get(role) ?? new Set<string>(permissionsOf(role));
    permissionsByRole.set(role, known);
    return known;
  }

  async function ofSession(claims: Omit<SessionClaims, 'permissions'>): Promise<Authenticated> {
    const { userId, tenantId: tenant, role, sessionId, expiresAt } = claims;
    if (!(await sessions.isAlive(claims))) throw new TokenRefused('its session has ended');
    // The state is in memory, and cheaper to ask than a crash between a change and the end of the sessions is to mend.
    const { state } = await executor.load(user, userId);
    if (state.status !== 'Active' || state.role !== role)
      throw new TokenRefused('its user is disabled, or has another role');
    return {
      userId,
      tenant,
      role,
      sessionId,
      permissions: allOf(role),
      scope: null,
      apiKeyId: null,
      expiresAt,
    };
  }

  async function ofKey({ userId, keyId }: ApiKeyName): Promise<Authenticated> {
    const { state } = await executor.load(user, userId);
    const found = state.status === 'Active' ? state.apiKeys.find((other) => other.keyId === keyId) : null;
    if (state.status !== 'Active' || !found)
      throw new ApiKeyRefused('it was revoked, or its user is disabled');
    const expiresAt = new Date(found.expiresAt);
    if (expiresAt.getTime() <= clock.now()) throw new ApiKeyRefused('it has expired');
    const { tenantId, role } = state;
    const tenant = found.scope?.tenant ?? tenantId;
    // Its user may have been one who crosses tenants, and be none any more.
    const held = tenant === tenantId || role === 'PlatformAdmin' ? allOf(role) : new Set<string>();
    const permissions = new Set(found.permissions.filter((permission) => held.has(permission)));
    const scope = found.scope && { keyId, ...found.scope };
    return { userId, tenant, role, sessionId: null, permissions, scope, apiKeyId: keyId, expiresAt };
  }

  return {
    authenticate: async (token) => ofSession(await tokens.verify(token)),
    async authenticateKey(key) {
      const name = await apiKeys.nameOf(key);
      if (!name) throw new ApiKeyRefused('it is unknown');
      return ofKey(name);
    },
    async holds(known) {
      const { tenant, sessionId, apiKeyId, expiresAt } = known;
      const userId = UserId.parse(known.userId);
      if (expiresAt.getTime() <= clock.now()) return false;
      try {
        if (apiKeyId !== null) {
          const { role, permissions } = await ofKey({ userId, keyId: apiKeyId });
          return role === known.role && permissions.isSupersetOf(known.permissions);
        }
        if (sessionId === null) return false;
        const [tenantId, role] = [TenantId.parse(tenant), Role.parse(known.role)];
        await ofSession({ userId, tenantId, role, sessionId, expiresAt });
        return true;
      } catch (error) {
        if (error instanceof TokenRefused || error instanceof ApiKeyRefused) return false;
        throw error;
      }
    },
  };
}
