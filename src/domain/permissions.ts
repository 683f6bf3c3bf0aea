/** Who may do what (decisions 8): routes ask for permissions, roles are sets of them. */
import { z } from 'zod';

export const Role = z.enum(['PlatformAdmin', 'PluginDeveloper', 'TenantAdmin', 'Viewer']);
export type Role = z.output<typeof Role>;

export const Permission = z.enum([
  'plugins:read',
  'plugins:write',
  'plugins:delete',
  'plugins:install',
  'marketplace:read',
  'marketplace:write',
  'catalog:read',
  'catalog:write',
  'deployments:read',
  'deployments:write',
  /** All rollouts of the platform. */
  'rollouts:freeze',
  /** One's own tenant; every tenant for who crosses them. */
  'tenants:read',
  'tenants:list',
  'tenants:write',
  'secrets:read',
  'secrets:write',
  'users:read',
  'users:write',
  /** For good: the person behind a user of any tenant. */
  'users:forget',
  /** Who one is oneself. */
  'account:read',
  /** One's own password and session. */
  'account:write',
  'api-keys:read',
  'api-keys:write',
  /** What should run in an environment; only with a key that is scoped to one, as is the next. */
  'agents:read',
  /** How the instances there are. */
  'agents:report',
  'audit:read',
  /** That nobody rewrote the log: of all of it, so for staff alone. */
  'audit:prove',
  /** Of one's own tenant; of every tenant for who crosses them. */
  'webhooks:read',
  'webhooks:write',
  /** How read models are doing: of the whole platform, as is the next. */
  'projections:read',
  /** Try again what they could not digest, build them anew. */
  'projections:write',
]);
export type Permission = z.output<typeof Permission>;

/** All that a key scoped to an environment may ever do; without such a scope they open nothing. */
export const agentPermissions: readonly Permission[] = ['agents:read', 'agents:report'];

/** What everybody may do to what is their own. */
const own = ['account:read', 'account:write', 'api-keys:read', 'api-keys:write'] as const;
const reading = ['plugins:read', 'marketplace:read', 'catalog:read'] as const;

const granted: Readonly<Record<Role, readonly Permission[]>> = {
  PlatformAdmin: Permission.options,
  PluginDeveloper: [...own, ...reading, 'plugins:write', 'catalog:write'],
  TenantAdmin: [
    ...own,
    ...reading,
    'catalog:write',
    'plugins:install',
    'deployments:read',
    'deployments:write',
    'tenants:read',
    'secrets:read',
    'secrets:write',
    'users:read',
    'users:write',
    ...agentPermissions,
    'audit:read',
    'webhooks:read',
    'webhooks:write',
  ],
  Viewer: [...own, ...reading],
};

export function permissionsOf(role: Role): readonly Permission[] {
  return granted[role];
}

/** Whose users may hold it. */
export function rolesWith(permission: string): readonly Role[] {
  return Role.options.filter((role) => permissionsOf(role).some((held) => held === permission));
}

/** Nobody makes another, or himself, more than he is. @param held the permissions of who grants the role */
export function mayGrant(held: ReadonlySet<string>, role: Role): boolean {
  return permissionsOf(role).every((permission) => held.has(permission));
}
