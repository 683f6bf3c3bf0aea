import { expect } from 'chai';
import { mayGrant, permissionsOf, Role } from '../../src/domain/permissions.ts';
import type { Permission } from '../../src/domain/permissions.ts';

describe('permissions', () => {
  const who = (permission: Permission) =>
    Role.options.filter((role) => permissionsOf(role).includes(permission));
  const everyone = Role.options;

  it('are what the Plugin Manager API says of its operations', () => {
    expect(who('plugins:write'), 'register plugin').to.have.members(['PluginDeveloper', 'PlatformAdmin']);
    expect(who('plugins:read'), 'list and get plugins').to.have.members(everyone);
    expect(who('marketplace:read'), 'browse the marketplace').to.have.members(everyone);
    expect(who('plugins:delete'), 'delete plugin').to.have.members(['PlatformAdmin']);
    expect(who('marketplace:write'), 'feature plugins').to.have.members(['PlatformAdmin']);
    expect(who('deployments:write'), 'deploy, roll back').to.have.members(['TenantAdmin', 'PlatformAdmin']);
    expect(who('deployments:read'), 'get and list deployments').to.have.members([
      'TenantAdmin',
      'PlatformAdmin',
    ]);
    expect(who('tenants:write'), 'create tenant').to.have.members(['PlatformAdmin']);
    for (const permission of ['projections:read', 'projections:write'] as const)
      expect(who(permission), permission).to.have.members(['PlatformAdmin']);
    expect(who('audit:read'), 'ask the past').to.have.members(['TenantAdmin', 'PlatformAdmin']);
    expect(who('tenants:list'), 'list tenants').to.have.members(['PlatformAdmin']);
    for (const permission of [
      ...(['users:read', 'users:write', 'webhooks:read', 'webhooks:write'] as const),
      ...(['secrets:read', 'secrets:write'] as const),
    ])
      expect(who(permission), permission).to.have.members(['TenantAdmin', 'PlatformAdmin']);
    for (const permission of ['agents:read', 'agents:report'] as const)
      expect(who(permission), 'make keys of agents').to.have.members(['TenantAdmin', 'PlatformAdmin']);
    expect(who('tenants:read'), 'get tenant').to.have.members(['TenantAdmin', 'PlatformAdmin']);
  });

  it('let a viewer change nothing but what is the viewer’s own', () => {
    const writing = permissionsOf('Viewer').filter((permission) => !permission.endsWith(':read'));
    expect(writing).to.deep.equal(['account:write', 'api-keys:write']);
  });

  it('are given only by who has them', () => {
    const granted = (by: Role) => Role.options.filter((role) => mayGrant(new Set(permissionsOf(by)), role));
    expect(granted('PlatformAdmin')).to.have.members(everyone);
    expect(granted('TenantAdmin')).to.have.members(['TenantAdmin', 'Viewer']);
    expect(granted('PluginDeveloper')).to.have.members(['PluginDeveloper', 'Viewer']);
    expect(mayGrant(new Set(['users:write']), 'Viewer'), 'a key that only makes users').to.be.false;
  });
});
