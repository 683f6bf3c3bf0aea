import { expect } from 'chai';
import { lacking } from '../../../src/api/http/lacking.ts';
import { people } from '../plugin-manager/face.ts';

describe('who may not do something', () => {
  const program = { ...people.acme, sessionId: null };
  for (const [who, permission, message] of [
    [
      ...([people.developer, 'deployments:write'] as const),
      'This needs the permission deployments:write, which PluginDeveloper does not have: ask a PlatformAdmin or TenantAdmin',
    ],
    [
      ...([people.acme, 'tenants:write'] as const),
      'This needs the permission tenants:write, which TenantAdmin does not have: ask a PlatformAdmin',
    ],
    [
      ...([program, 'deployments:write'] as const),
      'This needs the permission deployments:write, which this API key was not given',
    ],
    [
      ...([program, 'tenants:write'] as const),
      'This needs the permission tenants:write, which TenantAdmin does not have: ask a PlatformAdmin',
    ],
    [people.acme, 'things:write', 'This needs the permission things:write'],
  ] as const)
    it(`is told: ${message}`, () => {
      expect(lacking(who, permission)).to.include({ kind: 'Forbidden', message });
    });
});
