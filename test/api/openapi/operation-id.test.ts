import { expect } from 'chai';
import { operationId } from '../../../src/api/openapi/operation-id.ts';

describe('the name of an operation', () => {
  const names = {
    'GET /plugins': 'listPlugins',
    'POST /plugins': 'createPlugin',
    'GET /plugins/:pluginId': 'getPlugin',
    'GET /plugins/:pluginId/versions/:version': 'getPluginVersion',
    'PATCH /plugins/:pluginId': 'changePlugin',
    'DELETE /plugins/:pluginId': 'deletePlugin',
    'GET /tenants/:tenantId/plugins': 'listTenantPlugins',
    'POST /plugin-deployments/:deploymentId/rollback': 'rollbackPluginDeployment',
    'PUT /marketplace/plugins/:pluginId/featured': 'setMarketplacePluginFeatured',
    'GET /capabilities/:capabilityId/plugins': 'listCapabilityPlugins',
    'GET /status': 'getStatus',
  } as const;
  for (const [route, name] of Object.entries(names))
    it(`of ${route} is ${name}`, () => {
      const [method = '', path = ''] = route.split(' ');
      const asked = { method: method as 'GET', path, operationId: null };
      expect(operationId(asked, '')).to.equal(name);
      expect(operationId(asked, 'idp')).to.equal(`idp${name.charAt(0).toUpperCase()}${name.slice(1)}`);
    });

  it('is what the route says, where it says so', () => {
    expect(operationId({ method: 'POST', path: '/authentication/login', operationId: 'logIn' }, '')).to.equal(
      'logIn',
    );
  });
});
