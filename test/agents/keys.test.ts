/** What the keys of agents open, and who makes them. */
import { expect } from 'chai';
import { CreatedApiKeyAnswer } from '../../src/api/plugin-manager/user-schemas.ts';
import { operationsOf } from '../api/matrix/operations.ts';
import { expectRefusal } from '../api/plugin-manager/whole-server.ts';
import { openProtocol, type Protocol } from './protocol.ts';

describe("keys in the agents' protocol", function () {
  this.timeout(60_000);
  let server: Protocol['server'];
  let key: Protocol['key'];
  let call: Protocol['call'];
  let ask: Protocol['ask'];
  let deployed: Protocol['deployed'];
  beforeEach(async () => {
    ({ server, key, call, ask, deployed } = await openProtocol());
  });
  afterEach(() => server.stop());

  it('open the two calls of an agent, and nothing else that the server has', async () => {
    const { body } = await server.call('GET', '/api/openapi.json');
    const operations = operationsOf(body).filter(({ permission }) => permission !== null);
    const own = ['/api/v1/agent/assignments', '/api/v1/plugin-deployments/{deploymentId}/health-reports'];
    for (const { method, path } of operations) {
      const sent = method === 'GET' ? undefined : {};
      const reply = await server.call(method, path.replaceAll(/\{\w+\}/g, 'dep-1'), {
        headers: { 'X-API-Key': key },
        ...(sent && { body: sent }),
      });
      if (own.includes(path)) expect(reply.status, path).to.be.oneOf([200, 400]);
      else expect(reply.status, `${method} ${path}`).to.equal(403);
    }
  });

  it('are what it takes: neither a session nor another key does', async () => {
    const body = { epoch: 0, reports: [{ instance: 'a', sequence: 0, outcome: 'pass' }] };
    for (const role of ['PlatformAdmin', 'TenantAdmin', 'Viewer'] as const) {
      expectRefusal(await server.ask(role, 'GET', '/agent/assignments'), 403, 'FORBIDDEN', []);
      const path = '/plugin-deployments/dep-1/health-reports';
      expectRefusal(await server.ask(role, 'POST', path, body), 403, 'FORBIDDEN', []);
    }
    const reply = await server.ask('TenantAdmin', 'POST', '/api-keys', { name: 'All' });
    const { key: plain, permissions } = CreatedApiKeyAnswer.parse(reply.body);
    expect(permissions.filter((permission) => permission.startsWith('agents:'))).to.deep.equal([]);
    expectRefusal(await ask('', plain), 403, 'FORBIDDEN', []);
  });

  it('may be for one of the two alone', async () => {
    const reading = await server.agentKey('Production', ['agents:read']);
    const { id, epoch } = await deployed();
    expect((await ask('', reading)).status).to.equal(200);
    const body = { epoch, reports: [{ instance: 'a', sequence: 0, outcome: 'pass' }] };
    const reply = await call('POST', `/plugin-deployments/${id}/health-reports`, body, reading);
    expectRefusal(reply, 403, 'FORBIDDEN', []);
  });

  it('are made by who may, for the own tenant, and for nothing that is none of an agent', async () => {
    const make = (role: 'PlatformAdmin' | 'TenantAdmin' | 'Viewer', body: object) =>
      server.ask(role, 'POST', '/api-keys', { name: 'Agent', ...body });
    const scope = { environment: 'Production' };
    const permissions = ['agents:report'];
    expectRefusal(await make('Viewer', { scope, permissions }), 403, 'FORBIDDEN', ['permissions']);
    const elsewhere = { ...scope, tenantId: 'tenant-globex' };
    expectRefusal(await make('TenantAdmin', { scope: elsewhere }), 403, 'FORBIDDEN', []);
    expectRefusal(await make('PlatformAdmin', { scope: elsewhere }), 404, 'NOT_FOUND', ['scope.tenantId']);
    const more = { scope, permissions: ['agents:report', 'plugins:read'] };
    expectRefusal(await make('TenantAdmin', more), 400, 'VALIDATION_ERROR', ['permissions']);
    expectRefusal(await make('TenantAdmin', { permissions }), 400, 'VALIDATION_ERROR', ['scope']);
    for (const wrong of [
      {},
      { environment: '1st' },
      { ...scope, tenantId: 'No Tenant' },
      { ...scope, plugin: 'a' },
    ])
      expectRefusal(await make('TenantAdmin', { scope: wrong }), 400, 'VALIDATION_ERROR');
    const made = CreatedApiKeyAnswer.parse((await make('TenantAdmin', { scope })).body);
    expect(made.scope).to.deep.equal({ tenantId: 'tenant-acme-corp', environment: 'Production' });
    expect(made.permissions).to.have.members(['agents:read', 'agents:report']);
  });

  it('end with what their user was: another role, or none', async () => {
    const users = await server.ask(
      'PlatformAdmin',
      'GET',
      '/users?tenantId=tenant-acme-corp&role=TenantAdmin',
    );
    const {
      users: [user],
    } = users.body as { users: { userId: string }[] };
    await server.ask('PlatformAdmin', 'PATCH', `/users/${user?.userId}`, { role: 'Viewer' });
    expectRefusal(await ask(''), 403, 'FORBIDDEN', []);
    await server.ask('PlatformAdmin', 'PATCH', `/users/${user?.userId}`, { disabled: true });
    expectRefusal(await ask(''), 401, 'UNAUTHORIZED', []);
  });
});
