/** Tenants after their creation: changed, suspended, and what they run (decisions 5, 14, 25, 28). */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { TenantDetailsAnswer, TenantPluginsAnswer } from '../../../src/api/plugin-manager/tenant-schemas.ts';
import { UserAnswer } from '../../../src/api/plugin-manager/user-schemas.ts';
import type { Role } from '../../../src/domain/permissions.ts';
import { createAcme, registerCorePayments } from '../../fixtures/plugin-manager.ts';
import { expectShape } from '../../support/shape.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';

const here = `/tenants/${acmeId}`;
const deployments = '/plugin-deployments';
const core = {
  ...{ pluginId: 'core-payments', pluginVersion: '1.4.0' },
  ...{ tenantId: acmeId, environment: 'Production' },
};
/** As the document shows them. */
const documented = {
  tenantId: 'tenant-acme-corp',
  plugins: [
    {
      pluginId: 'payment-stripe',
      pluginVersion: '2.0.0',
      environment: 'Production',
      status: 'Active',
      healthyInstances: 10,
      totalInstances: 10,
      deployedAt: '2025-11-23T12:00:00Z',
    },
  ],
  total: 12,
};

describe('a tenant over HTTP', () => {
  let server: WholeServer;
  beforeEach(async () => {
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
  });
  afterEach(() => server.stop());

  const patch = (changes: object, headers: Record<string, string> = {}) =>
    server.ask('PlatformAdmin', 'PATCH', here, changes, { headers });
  const shown = async () => TenantDetailsAnswer.parse((await server.ask('TenantAdmin', 'GET', here)).body);

  it('is changed member by member; null removes; the answer is what is shown from then on', async () => {
    const before = await shown();
    await server.pass(60);
    const reply = await patch({
      ...{ name: 'Acme Limited', description: null, subscriptionTier: 'Premium' },
      ...{ contactEmail: 'ops@acme.com', allowedCategories: null },
      quotas: { maxCpu: 16, maxStorageGB: null },
      rateLimits: { maxDeploymentsPerHour: null },
    });
    expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
    expect(reply.body).to.deep.equal({
      ...before,
      ...{ name: 'Acme Limited', description: null, subscriptionTier: 'Premium' },
      ...{ contactEmail: 'ops@acme.com', allowedCategories: null },
      quotas: { maxPlugins: 20, maxCpu: 16, maxMemoryGB: 16, maxStorageGB: null },
      rateLimits: { maxRequestsPerMinute: 2000, maxDeploymentsPerHour: null },
      updatedAt: new Date(server.clock.now()).toISOString(),
    });
    expect(await shown()).to.deep.equal(reply.body);
    const listed = await server.ask('PlatformAdmin', 'GET', '/tenants?tier=Premium');
    expect(listed.body).to.include({ total: 1 });
  });

  it('stores nothing for what is so already, and no address in the clear', async () => {
    const { eventStore } = server.server.ports;
    await shown();
    const head = await eventStore.head();
    const { tenantId: _id, namespace: _namespace, ...same } = createAcme;
    for (const changes of [{}, same, { status: 'Active' }]) {
      const reply = await patch(changes);
      expect(reply.status).to.equal(200);
      expect(reply.body).to.deep.equal(await shown());
    }
    expect(await eventStore.head()).to.equal(head);
    await patch({ contactEmail: 'secret@acme.com' });
    const log = JSON.stringify(await eventStore.readStream(`tenant-${acmeId}`, { limit: 10 }));
    expect(log).to.include('TenantEdited').and.not.include('secret@acme.com');
    expect(await shown()).to.include({ contactEmail: 'secret@acme.com' });
  });

  it('is changed once by a repeated request', async () => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const first = await patch({ name: 'Once' }, headers);
    await patch({ name: 'Twice' });
    const again = await patch({ name: 'Once' }, headers);
    expect(again.headers.get('idempotency-replayed')).to.equal('true');
    expect(again.body).to.deep.equal(first.body);
    expect(await shown()).to.include({ name: 'Twice' });
  });

  it('is changed by the platform alone, and only when it exists and the change makes sense', async () => {
    for (const role of ['TenantAdmin', 'PluginDeveloper', 'Viewer'] as const)
      expectRefusal(await server.ask(role, 'PATCH', here, { name: 'Mine' }), 403, 'FORBIDDEN', []);
    for (const name of ['tenant-unknown', 'No%20Id', 'platform'])
      expectRefusal(await server.ask('PlatformAdmin', 'PATCH', `/tenants/${name}`, {}), 404, 'NOT_FOUND');
    for (const [changes, field] of [
      [{ status: 'Deleted' }, 'status'],
      [{ tenantId: 'other' }, 'tenantId'],
      [{ namespace: 'other' }, 'namespace'],
      [{ name: null }, 'name'],
      [{ quotas: { maxCpu: -1 } }, 'quotas.maxCpu'],
      [{ quotas: { maxLuck: 1 } }, 'quotas.maxLuck'],
      [{ rateLimits: { maxDeploymentsPerHour: 1.5 } }, 'rateLimits.maxDeploymentsPerHour'],
      [{ contactEmail: 'nobody' }, 'contactEmail'],
    ] as const)
      expectRefusal(await patch(changes), 400, 'VALIDATION_ERROR', [field]);
  });

  it('that is suspended writes nothing, while what it runs runs on; reactivated, it goes on', async () => {
    const first = await server.deploy(core);
    expect(await server.finished(first)).to.equal('Completed');
    expect(
      (
        await server.call('POST', '/api/v1/plugins', {
          token: await server.asRole('PluginDeveloper', acmeId),
          body: { ...registerCorePayments, pluginId: 'acme-own' },
        })
      ).status,
    ).to.equal(201);
    const bob = { email: 'bob@acme.com', role: 'Viewer', password: 'correct horse' };
    const { userId } = UserAnswer.parse((await server.ask('TenantAdmin', 'POST', '/users', bob)).body);
    expect((await patch({ status: 'Suspended' })).body).to.include({ status: 'Suspended' });
    const developer = await server.asRole('PluginDeveloper', acmeId);
    const register = (pluginId: string) =>
      server.call('POST', '/api/v1/plugins', {
        token: developer,
        body: { ...registerCorePayments, pluginId },
      });
    const elsewhere = { ...core, environment: 'Staging' };
    for (const role of ['TenantAdmin', 'PlatformAdmin'] as const) {
      expectRefusal(await server.ask(role, 'POST', deployments, elsewhere), 403, 'FORBIDDEN');
      expectRefusal(await server.ask(role, 'POST', `${deployments}/${first}/rollback`), 403, 'FORBIDDEN');
    }
    // What does not exist is told first, a wrong configuration afterwards (decisions 14).
    const unknown = { ...elsewhere, pluginId: 'unknown' };
    expectRefusal(await server.ask('TenantAdmin', 'POST', deployments, unknown), 404, 'NOT_FOUND');
    const haunted = { ...elsewhere, configuration: { simulate: 'haunted' } };
    expectRefusal(await server.ask('TenantAdmin', 'POST', deployments, haunted), 403, 'FORBIDDEN');
    expectRefusal(await register('acme-made'), 403, 'FORBIDDEN');
    const edit = (below: string, body: object) =>
      server.call('PATCH', `/api/v1/plugins/acme-own${below}`, { token: developer, body });
    expectRefusal(await edit('', { description: 'New' }), 403, 'FORBIDDEN');
    expectRefusal(await edit('/versions/1.4.0', { state: 'Deprecated' }), 403, 'FORBIDDEN');
    const ada = { email: 'ada@acme.com', role: 'Viewer', password: 'correct horse' };
    expectRefusal(await server.ask('TenantAdmin', 'POST', '/users', ada), 403, 'FORBIDDEN');
    // The users of a suspended tenant are still the platform's to look after.
    const change = (role: Role, body: object) => server.ask(role, 'PATCH', `/users/${userId}`, body);
    for (const body of [{ disabled: true }, { role: 'TenantAdmin' }, { name: 'Bob' }, { disabled: false }])
      expectRefusal(await change('TenantAdmin', body), 403, 'FORBIDDEN', []);
    const unchanged = await server.ask('TenantAdmin', 'GET', `/users/${userId}`);
    expect(unchanged.body).to.include({ role: 'Viewer', disabled: false, name: null });
    expect((await change('PlatformAdmin', { disabled: true })).body).to.include({ disabled: true });
    await server.pass(600);
    expect(await server.shown(first)).to.include({ status: 'Completed', healthyInstances: 1 });
    expect(await shown()).to.include({ status: 'Suspended' });
    const listed = await server.ask('PlatformAdmin', 'GET', '/tenants?status=Suspended');
    expect(listed.body).to.include({ total: 1 });

    await patch({ status: 'Active' });
    await server.deploy(elsewhere);
    expect((await register('acme-made')).status).to.equal(201);
  });

  it('shows its plugins: the current one of each slot, else the one on its way', async () => {
    const second = { ...registerCorePayments.version, semanticVersion: '1.5.0' };
    const known = { ...registerCorePayments, version: second };
    expect((await server.ask('PluginDeveloper', 'POST', '/plugins', known)).status).to.equal(201);
    await server.ask('PluginDeveloper', 'POST', '/plugins', { ...registerCorePayments, pluginId: 'alpha' });
    const listed = async () => {
      const { status, body } = await server.ask('TenantAdmin', 'GET', `${here}/plugins`);
      expect(status, JSON.stringify(body)).to.equal(200);
      const { plugins, total, tenantId } = TenantPluginsAnswer.parse(body);
      expect([total, tenantId]).to.deep.equal([plugins.length, acmeId]);
      if (total > 0) expectShape(body, documented);
      return plugins;
    };
    const told = async () =>
      (await listed()).map((one) =>
        [one.pluginId, one.environment, one.pluginVersion, one.status, one.healthyInstances].join(' '),
      );
    expect(await listed()).to.deep.equal([]);

    const production = await server.deploy(core);
    const began = new Date(server.clock.now()).toISOString();
    await server.deploy({ ...core, environment: 'Beta' });
    await server.deploy({ ...core, pluginId: 'alpha', environment: 'Production', totalInstances: 2 });
    expect((await listed())[2]).to.include({ deployedAt: began, deploymentId: production });
    expect(await told()).to.deep.equal([
      'alpha Production 1.4.0 Updating 0',
      'core-payments Beta 1.4.0 Updating 0',
      'core-payments Production 1.4.0 Updating 0',
    ]);
    await server.pass(300);
    const active = [
      'alpha Production 1.4.0 Active 2',
      'core-payments Beta 1.4.0 Active 1',
      'core-payments Production 1.4.0 Active 1',
    ];
    expect(await told()).to.deep.equal(active);
    const { completedAt } = await server.shown(production);
    expect((await listed())[2]).to.include({ deployedAt: completedAt, totalInstances: 1 });

    const next = await server.deploy({ ...core, pluginVersion: '1.5.0' });
    expect((await told())[2]).to.equal('core-payments Production 1.4.0 Updating 1');
    await server.finished(next);
    expect((await told())[2]).to.equal('core-payments Production 1.5.0 Active 1');
    await server.ask('TenantAdmin', 'POST', `${deployments}/${next}/rollback`);
    expect((await told())[2]).to.equal('core-payments Production 1.5.0 RollingBack 1');
    await server.finished(next);
    expect(await told()).to.deep.equal(active);
    expect((await server.ask('PlatformAdmin', 'GET', `${here}/plugins`)).status).to.equal(200);
    for (const name of ['tenant-unknown', 'No%20Id', 'platform'])
      expectRefusal(await server.ask('PlatformAdmin', 'GET', `/tenants/${name}/plugins`), 404, 'NOT_FOUND');
  });

  it('shows its plugins to itself alone, in the same words whoever else asks', async () => {
    const token = await server.asRole('TenantAdmin', 'tenant-globex');
    for (const name of [acmeId, 'tenant-unknown'])
      expectRefusal(
        await server.call('GET', `/api/v1/tenants/${name}/plugins`, { token }),
        403,
        'FORBIDDEN',
        [],
      );
  });
});
