/** What newcomers do first (README, docs), by the people of the document, with the limits of a server that nobody has configured. */
import { expect } from 'chai';
import { LoggedInAnswer } from '../../../src/api/plugin-manager/authentication.ts';
import { DeployedAnswer } from '../../../src/api/plugin-manager/deployment-schemas.ts';
import type { Reply } from '../../support/http.ts';
import { adminEmail, adminPassword } from '../../support/server.ts';
import { expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';

type As = (method: string, path: string, body?: object) => Promise<Reply>;

describe('a platform that is set up by hand', () => {
  let server: WholeServer;
  before(async () => {
    server = await openWholeServer({ SLIPWAY_RATE_LIMITS: 'on' });
  });
  after(() => server.stop());

  /** Logs in. @returns asks as that person; what was done before has been seen by everybody */
  async function person(email: string, password: string): Promise<As> {
    const { token } = LoggedInAnswer.parse((await server.login(email, password)).body);
    return async (method, path, body) => {
      await server.settle();
      return server.call(method, `/api/v1${path}`, { token, ...(body ? { body } : {}) });
    };
  }

  async function succeeds(reply: Promise<Reply>, status: number): Promise<Reply> {
    const got = await reply;
    expect(got.status, JSON.stringify(got.body)).to.equal(status);
    return got;
  }

  it('serves a tenant from its first user to a deployment that its quota was raised for, and shows it to nobody else', async () => {
    const platform = await person(adminEmail, adminPassword);
    const password = 'correct horse battery staple';
    const quotas = { maxPlugins: 2, maxCpu: 2 };
    await succeeds(platform('POST', '/tenants', { tenantId: 'globex', name: 'Globex', quotas }), 201);
    await succeeds(platform('POST', '/tenants', { tenantId: 'initech', name: 'Initech' }), 201);
    for (const [email, role, tenantId] of [
      ['grace@globex.example.com', 'TenantAdmin', 'globex'],
      ['dev@globex.example.com', 'PluginDeveloper', 'globex'],
      ['bill@initech.example.com', 'TenantAdmin', 'initech'],
    ])
      await succeeds(platform('POST', '/users', { email, role, tenantId, password }), 201);
    const [grace, developer, bill] = await Promise.all(
      ['grace@globex.example.com', 'dev@globex.example.com', 'bill@initech.example.com'].map((email) =>
        person(email, password),
      ),
    );
    if (!grace || !developer || !bill) throw new Error('somebody is missing');

    const version = { semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'NodeJs' } };
    const resources = { minCpu: 0.5, minMemoryMB: 512 };
    const plugin = { pluginId: 'invoice-pdf', name: 'Invoices', version: { ...version, resources } };
    expectRefusal(await grace('POST', '/plugins', plugin), 403, 'FORBIDDEN');
    await succeeds(developer('POST', '/plugins', plugin), 201);

    const deployment = {
      ...{ pluginId: 'invoice-pdf', pluginVersion: '1.0.0', tenantId: 'globex', environment: 'Production' },
      totalInstances: 10,
    };
    expectRefusal(await developer('POST', '/plugin-deployments', deployment), 403, 'FORBIDDEN');
    const over = await grace('POST', '/plugin-deployments', deployment);
    const { message } = expectRefusal(over, 409, 'CONFLICT', ['quotas.maxCpu']);
    expect(message).to.match(/maxCpu: limit 2, used 0, asked 5: .* ask a PlatformAdmin for more$/);
    const more = { quotas: { maxCpu: 8 } };
    expectRefusal(await grace('PATCH', '/tenants/globex', more), 403, 'FORBIDDEN');
    const granted = await succeeds(platform('PATCH', '/tenants/globex', more), 200);
    expect(granted.body).to.deep.nested.include({
      quotas: { ...quotas, ...more.quotas, maxMemoryGB: null, maxStorageGB: null },
    });

    const accepted = await succeeds(grace('POST', '/plugin-deployments', deployment), 202);
    const { deploymentId } = DeployedAnswer.parse(accepted.body);
    await server.pass(120);
    const shown = await succeeds(grace('GET', `/plugin-deployments/${deploymentId}`), 200);
    expect(shown.body).to.include({
      status: 'Completed',
      healthyInstances: 10,
      deployedBy: 'grace@globex.example.com',
    });
    expect((await grace('GET', '/tenants/globex')).body).to.have.nested.include({
      ...{ pluginCount: 1, 'resourceUsage.currentCpu': 5, 'resourceUsage.currentInstances': 10 },
    });

    for (const path of ['', '/health', '/health/history', '/history'])
      expectRefusal(await bill('GET', `/plugin-deployments/${deploymentId}${path}`), 404, 'NOT_FOUND');
    for (const path of ['/tenants/globex', '/tenants/globex/plugins', '/plugin-deployments?tenantId=globex'])
      expectRefusal(await bill('GET', path), 403, 'FORBIDDEN');
    expectRefusal(await bill('POST', `/plugin-deployments/${deploymentId}/abort`), 404, 'NOT_FOUND');
    expect((await bill('GET', '/plugin-deployments')).body).to.include({ total: 0 });
    expect((await bill('GET', '/tenants/initech')).body).to.include({ pluginCount: 0 });
    expect(JSON.stringify((await bill('GET', '/users')).body)).not.to.include('globex');
    // What is on offer is everybody's; where it runs is not.
    const offered = (await bill('GET', '/plugins/invoice-pdf')).body;
    expect(offered).to.include({ installationCount: 1 });
    expect(JSON.stringify(offered)).not.to.include(deploymentId);
  });
});
