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
  'catalog:read',
  'catalog:write',
  'deployments:read',
  'deployments:write',
  /** One's own tenant; every tenant for who crosses them. */
  'tenants:read',
  'tenants:list',
  'tenants:write',
  'users:write',
  'audit:read',
]);
export type Permission = z.output<typeof Permission>;

const reading = ['plugins:read', 'marketplace:read', 'catalog:read'] as const;

const granted: Readonly<Record<Role, readonly Permission[]>> = {
  PlatformAdmin: Permission.options,
  PluginDeveloper: [...reading, 'plugins:write', 'catalog:write'],
  TenantAdmin: [
    ...reading,
    'catalog:write',
    'plugins:install',
    'deployments:read',
    'deployments:write',
    'tenants:read',
    'users:write',
    'audit:read',
  ],
  Viewer: reading,
};

export function permissionsOf(role: Role): readonly Permission[] {
  return granted[role];
}
