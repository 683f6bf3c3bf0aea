/** The Plugin Manager's document word for word, against the whole server: its requests, its answers. */
import { expect } from 'chai';
import { HealthHistoryAnswer } from '../../../src/api/plugin-manager/health-schemas.ts';
import { DeployedAnswer } from '../../../src/api/plugin-manager/deployment-schemas.ts';
import {
  createAcme,
  deployStripe,
  registerCorePayments,
  registerStripe,
  responses,
} from '../../fixtures/plugin-manager.ts';
import { adminEmail, adminPassword } from '../../support/server.ts';
import { expectShape } from '../../support/shape.ts';
import { acmeId, openWholeServer, type WholeServer } from './whole-server.ts';

const deployCore = {
  pluginId: 'core-payments',
  pluginVersion: '1.4.0',
  tenantId: acmeId,
  environment: 'Production',
  totalInstances: 2,
};

describe("the Plugin Manager's document", () => {
  let server: WholeServer;
  let stripeId = '';
  before(async () => {
    server = await openWholeServer();
  });
  after(() => server.stop());

  it('is alive and ready', async () => {
    for (const path of ['/health', '/api/v1/health']) {
      const { status, body } = await server.call('GET', path);
      expect(status).to.equal(200);
      expect(body).to.include({ status: 'ok' });
    }
    const ready = await server.call('GET', '/ready');
    expect(ready.status).to.equal(200);
    expect(ready.body).to.include({ status: 'ready' });
  });

  it('POST /authentication/login', async () => {
    const { status, body } = await server.login(adminEmail, adminPassword);
    expect(status).to.equal(200);
    expectShape(body, responses.login);
    expect(body).to.have.nested.include({ 'user.username': adminEmail, 'user.role': 'PlatformAdmin' });
    expect(body).to.have.property('expiresAt', '2030-01-02T00:00:00.000Z');
  });

  it('POST /tenants', async () => {
    const { status, body } = await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    expect(status).to.equal(201);
    expectShape(body, responses.tenantCreated);
    const { createdAt: _createdAt, ...documented } = responses.tenantCreated;
    expect(body).to.include(documented);
  });

  it('POST /plugins', async () => {
    const core = await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
    expect(core.status).to.equal(201);
    const { status, body } = await server.ask('PluginDeveloper', 'POST', '/plugins', registerStripe);
    expect(status).to.equal(201);
    expectShape(body, responses.registered);
    const { createdAt: _createdAt, ...documented } = responses.registered;
    expect(body).to.include(documented);
  });

  it('GET /plugins/{pluginId}, with what was written beside what is documented', async () => {
    const { status, body } = await server.ask('Viewer', 'GET', '/plugins/payment-stripe');
    expect(status).to.equal(200);
    expectShape(body, responses.plugin, { nullable: ['averageRating'] });
    const { version: _version, capabilities, ...metadata } = registerStripe;
    expect(body).to.deep.include({ ...metadata, averageRating: null, installationCount: 0 });
    expect(body).to.deep.include({ capabilities, ownerTenant: 'tenant-makers', latestVersion: '2.0.0' });
  });

  it('GET /plugins/{pluginId}/versions/{version}, with what was written beside what is documented', async () => {
    const { status, body } = await server.ask('Viewer', 'GET', '/plugins/payment-stripe/versions/2.0.0');
    expect(status).to.equal(200);
    expectShape(body, responses.version);
    expect(body).to.deep.include({ pluginId: 'payment-stripe', ...registerStripe.version });
    expect(body).to.have.property('checksumVerified', false);
  });

  it('GET /tenants/{tenantId}, with what was written beside what is documented', async () => {
    const { status, body } = await server.ask('TenantAdmin', 'GET', `/tenants/${acmeId}`);
    expect(status).to.equal(200);
    expectShape(body, responses.tenant);
    expect(body).to.deep.include({ ...createAcme, status: 'Active', pluginCount: 0 });
  });

  it('POST /plugin-deployments', async () => {
    expect(await server.finished(await server.deploy(deployCore))).to.equal('Completed');
    const { status, body } = await server.ask('TenantAdmin', 'POST', '/plugin-deployments', deployStripe);
    expect(status).to.equal(202);
    expectShape(body, responses.deployed);
    const { deploymentId: _deploymentId, startedAt: _startedAt, ...documented } = responses.deployed;
    expect(body).to.include({ ...documented, runtime: 'simulated' });
    stripeId = DeployedAnswer.parse(body).deploymentId;
    expect(stripeId).to.match(/^dep-/);
  });

  it('GET /plugin-deployments/{deploymentId}, half-way', async () => {
    for (let stage = 0; stage !== 3; stage = (await server.shown(stripeId)).stage) await server.pass(60);
    await server.pass(60);
    const { status, body } = await server.ask('TenantAdmin', 'GET', `/plugin-deployments/${stripeId}`);
    expect(status).to.equal(200);
    expectShape(body, responses.deployment);
    const { progress, totalInstances, healthyInstances, unhealthyInstances } = responses.deployment;
    expect(body).to.include({ progress, totalInstances, healthyInstances, unhealthyInstances });
    expect(body).to.include({ status: 'InProgress', deployedBy: `tenantadmin@${acmeId}.example.com` });
    expect(body).to.deep.include({ configuration: deployStripe.configuration, runtime: 'simulated' });
  });

  it('GET /plugin-deployments', async () => {
    expect(await server.finished(stripeId)).to.equal('Completed');
    const path = `/plugin-deployments?tenantId=${acmeId}&status=Completed`;
    const { status, body } = await server.ask('TenantAdmin', 'GET', path);
    expect(status).to.equal(200);
    expectShape(body, responses.deployments);
    expect(body).to.include({ total: 2, limit: 20, offset: 0 });
    expect(body).to.have.nested.include({ 'deployments[0].deploymentId': stripeId });
  });

  /** What no probe can measure, and simulated instances do not tell. */
  const unmeasured = ['cpuUsage', 'memoryUsage', 'requestsPerSecond'];

  it('GET /plugin-deployments/{deploymentId}/health', async () => {
    const path = `/plugin-deployments/${stripeId}/health`;
    const { status, body } = await server.ask('TenantAdmin', 'GET', path);
    expect(status).to.equal(200);
    expectShape(body, responses.health, { nullable: unmeasured });
    const { totalInstances, healthyInstances, unhealthyInstances } = responses.health;
    expect(body).to.include({ status: 'Healthy', totalInstances, healthyInstances, unhealthyInstances });
    expect(body).to.include({ deploymentId: stripeId, runtime: 'simulated' });
    expect(body).to.have.nested.include({ 'metrics.errorRate': 0, 'metrics.errorRateOf': 'probes' });
  });

  it('GET /plugin-deployments/{deploymentId}/health/history', async () => {
    const path = `/plugin-deployments/${stripeId}/health/history?window=PT24H`;
    const { status, body } = await server.ask('TenantAdmin', 'GET', path);
    expect(status).to.equal(200);
    expectShape(body, responses.healthHistory);
    expect(body).to.include({ deploymentId: stripeId, window: 'PT24H', runtime: 'simulated' });
    const { dataPoints } = HealthHistoryAnswer.parse(body);
    const counts = dataPoints.map(({ healthyInstances }) => healthyInstances);
    expect([...new Set(counts)]).to.include.members([1, 3, 5, 10]);
    expect(counts).to.deep.equal(counts.toSorted((a, b) => a - b));
    expect(dataPoints.filter(({ durationSeconds }) => durationSeconds === 300).length).to.be.at.least(3);
  });

  it('POST /plugin-deployments/{deploymentId}/rollback', async () => {
    const second = await server.deploy({ ...deployStripe, strategy: 'Direct', strategyConfig: {} });
    expect(await server.finished(second)).to.equal('Completed');
    const { status, body } = await server.ask(
      'TenantAdmin',
      'POST',
      `/plugin-deployments/${second}/rollback`,
      { reason: 'High error rate detected' },
    );
    expect(status).to.equal(202);
    expectShape(body, responses.rolledBack);
    expect(body).to.include({ deploymentId: second, previousDeploymentId: stripeId });
    expect(await server.finished(second)).to.equal('RolledBack');
  });

  it('GET /plugins', async () => {
    const path = '/plugins?category=PaymentGateway&status=Active&limit=20&offset=0';
    const { status, body } = await server.ask('Viewer', 'GET', path);
    expect(status).to.equal(200);
    expectShape(body, responses.plugins, { nullable: ['averageRating', 'publisher'] });
    expect(body).to.include({ total: 2, limit: 20, offset: 0 });
    const stripe = await server.ask('Viewer', 'GET', '/plugins?search=stripe&tags=payment,credit-card');
    expectShape(stripe.body, responses.plugins, { nullable: ['averageRating'] });
    expect(stripe.body).to.have.nested.include({
      'plugins[0].pluginId': 'payment-stripe',
      'plugins[0].installationCount': 1,
    });
  });

  it('GET /capabilities', async () => {
    const { status, body } = await server.ask('Viewer', 'GET', '/capabilities');
    expect(status).to.equal(200);
    expectShape(body, responses.capabilities);
    expect(body).to.deep.equal({
      capabilities: [{ ...responses.capabilities.capabilities[0], pluginCount: 1 }],
      ...{ total: 1, limit: 20, offset: 0 },
    });
  });

  it('GET /capabilities/{capabilityId}/plugins', async () => {
    const { status, body } = await server.ask('Viewer', 'GET', '/capabilities/IPaymentProcessor/plugins');
    expect(status).to.equal(200);
    expectShape(body, responses.capabilityPlugins);
    expect(body).to.deep.equal({
      ...responses.capabilityPlugins,
      plugins: [{ ...responses.capabilityPlugins.plugins[0], capabilityVersions: ['1.0'] }],
      ...{ total: 1, limit: 20, offset: 0 },
    });
  });

  it('GET /marketplace/plugins', async () => {
    const path = '/marketplace/plugins?category=PaymentGateway&featured=true';
    expect((await server.ask('Viewer', 'GET', path)).body).to.include({ total: 0 });
    const featured = '/marketplace/plugins/payment-stripe/featured';
    expect((await server.ask('PlatformAdmin', 'PUT', featured)).status).to.equal(204);
    const { status, body } = await server.ask('Viewer', 'GET', path);
    expect(status).to.equal(200);
    expectShape(body, responses.marketplace, { nullable: ['averageRating'] });
    const [documented] = responses.marketplace.plugins;
    expect(body).to.include({ total: 1, limit: 20, offset: 0 });
    expect((body as { plugins: object[] }).plugins[0]).to.include({
      ...documented,
      ...{ description: registerStripe.description, installationCount: 1, averageRating: null },
    });
  });

  it('GET /marketplace/search', async () => {
    const { status, body } = await server.ask(
      'Viewer',
      'GET',
      '/marketplace/search?q=payment&tags=stripe,credit-card',
    );
    expect(status).to.equal(200);
    expectShape(body, responses.search);
    expect(body).to.include({ query: 'payment', total: 1, limit: 20, offset: 0 });
    const [found] = (body as typeof responses.search).results;
    expect(found).to.include({ pluginId: 'payment-stripe', installationCount: 1 });
    expect(found?.relevanceScore).to.be.within(0.9, 1);
  });

  it('GET /tenants', async () => {
    const { status, body } = await server.ask(
      'PlatformAdmin',
      'GET',
      '/tenants?status=Active&tier=Enterprise',
    );
    expect(status).to.equal(200);
    expectShape(body, responses.tenants);
    expect(body).to.have.nested.include({
      total: 1,
      'tenants[0].tenantId': acmeId,
      'tenants[0].pluginCount': 2,
    });
  });

  it('shows what instances reserve once they run', async () => {
    const { body } = await server.ask('TenantAdmin', 'GET', `/tenants/${acmeId}`);
    expectShape(body, responses.tenant);
    expect(body).to.have.nested.include({
      'resourceUsage.currentInstances': 12,
      'resourceUsage.currentCpu': 2,
      'resourceUsage.currentMemoryGB': 2.5,
    });
  });

  it('pages with limit and offset, and echoes them', async () => {
    const pages = {
      ...{ '/plugins?': 2, '/tenants?': 1, '/plugin-deployments?': 3, '/capabilities?': 1 },
      ...{ '/capabilities/IPaymentProcessor/plugins?': 1, '/plugins?search=payment&': 2 },
      ...{ '/marketplace/plugins?': 2, '/marketplace/search?q=payment&': 2 },
    };
    const listIn = (body: unknown) => Object.values(body as object).find(Array.isArray);
    for (const [path, total] of Object.entries(pages)) {
      const { body } = await server.ask('PlatformAdmin', 'GET', `${path}limit=1&offset=${total - 1}`);
      expect(body, path).to.include({ total, limit: 1, offset: total - 1 });
      expect(listIn(body), path).to.have.length(1);
      const beyond = await server.ask('PlatformAdmin', 'GET', `${path}offset=999999999`);
      expect(beyond.body, path).to.include({ total, limit: 20, offset: 999_999_999 });
      expect(listIn(beyond.body), path).to.deep.equal([]);
    }
  });
});
