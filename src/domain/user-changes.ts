/** What may become of a user, and of the API keys that act for him. */
import { platformTenant, type ApiKeyId, type TenantId, type UserId } from './ids.ts';
import { agentPermissions, mayGrant, type Role } from './permissions.ts';
import { refuse, type Decision, type Refusal } from './refusal.ts';
import { knownUser, refuseMisplaced, type ApiKey, type KnownUser } from './user.ts';
import type { UserEvent, UserState } from './user.ts';

/** Who changes users: whose tenants, and with which permissions. */
export interface UserManager {
  /** The only tenant that exists for him; null: all do. */
  readonly tenant: TenantId | null;
  readonly permissions: ReadonlySet<string>;
}

/** What is not given stays as it is. */
export interface UserChange {
  readonly role?: Role | undefined;
  /** Sealed for the user; null: none. */
  readonly name?: string | null | undefined;
  readonly disabled?: boolean | undefined;
}

const mostApiKeys = 50;
const longestApiKeyMs = 365 * 24 * 3_600_000;

/** Staff makes and publishes; a tenant's own people run what was published. */
export function refuseMisplacedRole(user: {
  readonly role: Role;
  readonly tenantId: TenantId;
}): Refusal | null {
  const misplaced = refuseMisplaced(user);
  if (misplaced) return misplaced;
  const { role, tenantId } = user;
  if (tenantId !== platformTenant || role === 'PlatformAdmin' || role === 'PluginDeveloper') return null;
  const message = `A ${role} belongs to a tenant other than ${platformTenant}`;
  return refuse('Invalid', message, { field: 'tenantId', message });
}

/** Nobody hands out what he does not have: so a TenantAdmin makes TenantAdmins and Viewers, and nobody lifts himself. */
export function refuseGrant({ permissions }: UserManager, role: Role): Refusal | null {
  if (mayGrant(permissions, role)) return null;
  const message = `You may not decide about users with the role ${role}: ask a PlatformAdmin`;
  return refuse('Forbidden', message, { field: 'role', message });
}

export function changeUser(
  state: UserState,
  userId: UserId,
  by: UserManager,
  { role, name, disabled }: UserChange,
): Decision<UserEvent> {
  const known = knownUser(state);
  if (!known || (by.tenant !== null && by.tenant !== known.tenantId)) return noSuchUser(userId);
  const refusal = refuseGrant(by, known.role) ?? refuseNewRole(known, by, role);
  if (refusal) return refusal;
  if (known.status === 'Forgotten')
    return refuse('Conflict', `The user ${userId} was forgotten: nothing can be changed any more`);
  const events: UserEvent[] = [];
  if (name !== undefined && (name ?? known.name) !== null)
    events.push({ type: 'UserRenamed', data: { userId, name } });
  if (role !== undefined && role !== known.role)
    events.push({ type: 'UserRoleChanged', data: { userId, role } });
  if (disabled === true && known.status === 'Active') events.push({ type: 'UserDisabled', data: { userId } });
  if (disabled === false && known.status === 'Disabled')
    events.push({ type: 'UserEnabled', data: { userId } });
  return events;
}

function refuseNewRole(
  { role: before, tenantId }: KnownUser,
  by: UserManager,
  role: Role | undefined,
): Refusal | null {
  if (role === undefined || role === before) return null;
  return refuseGrant(by, role) ?? refuseMisplacedRole({ role, tenantId });
}

/** Who is to be forgotten is disabled before, so that the last administrator stays and nobody acts for the user any more. */
export function forgetUser(state: UserState, userId: UserId): Decision<UserEvent> {
  const known = knownUser(state);
  if (!known) return noSuchUser(userId);
  if (known.status === 'Forgotten') return [];
  if (known.status === 'Active') return refuse('Conflict', `The user ${userId} was enabled again meanwhile`);
  return [{ type: 'UserForgotten', data: { userId } }];
}

export function noSuchUser(userId: string): Refusal {
  return refuse('NotFound', `There is no user ${userId}`);
}

export function changePassword(state: UserState, userId: UserId): Decision<UserEvent> {
  if (state.status !== 'Active') return noSuchUser(userId);
  return [{ type: 'PasswordChanged', data: { userId } }];
}

/** @param held the permissions of who asks: no key may do more */
export function createApiKey(
  state: UserState,
  userId: UserId,
  key: ApiKey,
  held: ReadonlySet<string>,
): Decision<UserEvent> {
  if (state.status !== 'Active') return noSuchUser(userId);
  if (state.apiKeys.some(({ keyId }) => keyId === key.keyId)) return [];
  const beyond = key.permissions.find((permission) => !held.has(permission));
  if (beyond !== undefined) {
    const message = `You do not have the permission ${beyond} yourself`;
    return refuse('Forbidden', message, { field: 'permissions', message });
  }
  const misplaced = refuseMisplacedPermissions(key);
  if (misplaced) return misplaced;
  const lifetime = Date.parse(key.expiresAt) - Date.parse(key.createdAt);
  if (lifetime <= 0 || lifetime > longestApiKeyMs) {
    const message = 'An API key expires in the future, within 365 days';
    return refuse('Invalid', message, { field: 'expiresAt', message });
  }
  const valid = state.apiKeys.filter(({ expiresAt }) => expiresAt > key.createdAt);
  if (valid.length >= mostApiKeys)
    return refuse('Conflict', `There are ${mostApiKeys} API keys already; revoke one that is not needed`);
  return [{ type: 'ApiKeyCreated', data: key }];
}

/** An agent's key can do nothing else, and nothing else can do what an agent does. */
function refuseMisplacedPermissions({ permissions, scope }: ApiKey): Refusal | null {
  const ofAgents = new Set<string>(agentPermissions);
  const wrong = permissions.find((permission) => ofAgents.has(permission) !== (scope !== null));
  if (wrong === undefined) return null;
  if (scope === null) {
    const message = `is required by ${wrong}: name the environment that the agent works for`;
    return refuse('Invalid', `scope ${message}`, { field: 'scope', message });
  }
  const message = `may only be ${agentPermissions.join(' and ')} where there is a scope`;
  return refuse('Invalid', `permissions ${message}`, { field: 'permissions', message });
}

export function revokeApiKey(state: UserState, keyId: ApiKeyId): Decision<UserEvent> {
  if (!knownUser(state)?.apiKeys.some((key) => key.keyId === keyId))
    return refuse('NotFound', `There is no API key ${keyId}`);
  return [{ type: 'ApiKeyRevoked', data: { keyId } }];
}
