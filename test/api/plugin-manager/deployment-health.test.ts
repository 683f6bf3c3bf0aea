/** Health over HTTP: what is shown to whom, and for which windows. */
import { expect } from 'chai';
import { HealthAnswer, HealthHistoryAnswer } from '../../../src/api/plugin-manager/health-schemas.ts';
import { createAcme, registerCorePayments } from '../../fixtures/plugin-manager.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';

const deployCore = {
  ...{ pluginId: 'core-payments', pluginVersion: '1.4.0', tenantId: acmeId },
  ...{ totalInstances: 4, healthCheck: { intervalSeconds: 10 }, strategyConfig: { bakeSeconds: '60' } },
};

describe('Plugin Health API', () => {
  let server: WholeServer;
  before(async () => {
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
  });
  after(() => server.stop());

  const deploy = (environment: string, simulate: string) =>
    server.deploy({ ...deployCore, environment, configuration: { simulate } });
  async function health(id: string) {
    const { status, body } = await server.ask('TenantAdmin', 'GET', `/plugin-deployments/${id}/health`);
    expect(status).to.equal(200);
    return HealthAnswer.parse(body);
  }
  async function history(id: string, window?: string) {
    const query = window === undefined ? '' : `?window=${window}`;
    const path = `/plugin-deployments/${id}/health/history${query}`;
    const { status, body } = await server.ask('TenantAdmin', 'GET', path);
    expect(status, JSON.stringify(body)).to.equal(200);
    return HealthHistoryAnswer.parse(body);
  }

  it('follows instances from Unknown to Healthy, Degraded, Unhealthy, and to Unknown by silence alone', async () => {
    const partial = await deploy('Partial', 'partial:0.5');
    const sick = await deploy('Sick', 'sick-after:200');
    const silent = await deploy('Silent', 'silent:200');
    expect(await health(sick)).to.include({ status: 'Unknown', unknownInstances: 4, lastHealthCheck: null });
    await server.pass(30);
    for (const id of [partial, sick, silent])
      expect(await health(id)).to.include({ status: 'Healthy', healthyInstances: 4, expectedInstances: 4 });
    await server.pass(230);
    expect(await health(sick)).to.include({
      status: 'Unhealthy',
      healthyInstances: 0,
      unhealthyInstances: 4,
    });
    expect((await health(sick)).metrics.errorRate).to.be.within(0.1, 0.5);
    const quiet = await health(silent);
    expect(quiet).to.include({ status: 'Unknown', healthyInstances: 0, unknownInstances: 4 });
    expect(Object.values(quiet.metrics).filter((metric) => metric !== null)).to.deep.equal([]);
    expect(quiet.lastHealthCheck).to.match(/^2030-01-01T00:03/);
    const shown = await server.shown(silent);
    expect(shown).to.include({ healthyInstances: 0, unhealthyInstances: 0 });
  });

  it('shows a deployment of two minutes already, and its silence later', async () => {
    const id = await deploy('Fresh', 'silent:150');
    await server.pass(120);
    const young = await history(id, 'PT1H');
    expect(young.dataPoints.length).to.be.within(2, 3);
    expect(young.dataPoints.at(-1)).to.include({ healthyInstances: 4, errorRateOf: 'probes', silent: false });
    await server.pass(3_000);
    const old = await history(id);
    expect(old.window).to.equal('PT24H');
    expect(old.dataPoints.filter(({ silent }) => silent).length).to.be.within(8, 10);
    expect(old.dataPoints.at(-1)).to.include({ healthyInstances: 0, avgResponseTime: null, errorRate: null });
    const times = old.dataPoints.map(({ timestamp }) => timestamp);
    expect(times).to.deep.equal(times.toSorted());
    for (const window of ['P90D', 'P3M', 'PT0.5H', 'P1W', 'PT129600M', 'PT1S'])
      expect(await history(id, window)).to.include({ window });
    const half = (await history(id, 'PT30M')).dataPoints;
    const since = server.clock.now() - 1_800_000;
    expect(half.every(({ timestamp }) => Date.parse(timestamp) > since)).to.equal(true);
    expect(half.length).to.be.within(5, 7);
  });

  it("is the same 404 for another tenant's deployment as for one that never was", async () => {
    const own = await deploy('Theirs', 'healthy');
    const token = await server.asRole('TenantAdmin', 'tenant-rivals');
    for (const below of ['health', 'health/history', 'health/history?window=P1D']) {
      const texts = [];
      for (const id of [own, 'dep-never']) {
        const reply = await server.call('GET', `/api/v1/plugin-deployments/${id}/${below}`, { token });
        expect(reply.status).to.equal(404);
        const { error } = reply.body as { error: Record<string, unknown> };
        texts.push(JSON.stringify({ ...error, traceId: '', timestamp: '' }).replaceAll(id, '{id}'));
      }
      expect(texts[0]).to.equal(texts[1]);
    }
    const staff = await server.ask('PlatformAdmin', 'GET', `/plugin-deployments/${own}/health`);
    expect(staff.status).to.equal(200);
  });

  it('refuses a window that is none, by name and with one that would do', async () => {
    const refused = async (query: string) => {
      const path = `/plugin-deployments/dep-1/health/history?${query}`;
      return expectRefusal(await server.ask('TenantAdmin', 'GET', path), 400, 'VALIDATION_ERROR');
    };
    const windows =
      ' P PT day 24H PT24 pt24h -PT1H P0D PT0S P91D P90DT1S P4M P1Y PT24H%00 %20PT24H PT24H,PT1H PT1e3H null []';
    for (const window of [...windows.split(' '), `P${'9'.repeat(400)}D`, '%F0%9F%92%A5']) {
      const message = 'must be an ISO 8601 duration longer than 0 and up to P90D, such as PT24H';
      expect((await refused(`window=${window}`)).details, window).to.deep.equal([
        { field: 'window', message },
      ]);
    }
    for (const [query, named] of [
      ['window=PT1H&window=PT1H', 'window'],
      ['window[]=PT1H', 'window[]'],
      ['windows=PT1H', 'windows'],
      ['limit=10', 'limit'],
    ] as const)
      expect((await refused(query)).details.map(({ field }) => field)).to.deep.equal([named]);
  });
});
