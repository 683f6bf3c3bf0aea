import { expect } from 'chai';
import { permissionsOf, Role } from '../../src/domain/permissions.ts';
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
    expect(who('deployments:write'), 'deploy, roll back').to.have.members(['TenantAdmin', 'PlatformAdmin']);
    expect(who('deployments:read'), 'get and list deployments').to.have.members([
      'TenantAdmin',
      'PlatformAdmin',
    ]);
    expect(who('tenants:write'), 'create tenant').to.have.members(['PlatformAdmin']);
    expect(who('tenants:list'), 'list tenants').to.have.members(['PlatformAdmin']);
    expect(who('tenants:read'), 'get tenant').to.have.members(['TenantAdmin', 'PlatformAdmin']);
  });

  it('let a viewer change nothing', () => {
    expect(permissionsOf('Viewer').filter((permission) => !permission.endsWith(':read'))).to.deep.equal([]);
  });
});
