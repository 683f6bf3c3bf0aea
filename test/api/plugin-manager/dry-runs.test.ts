/** Deployments that are only tried, that end another first, and that are held to metrics, over HTTP. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import {
  createAcme,
  deployStripe,
  registerCorePayments,
  registerStripe,
} from '../../fixtures/plugin-manager.ts';
import type { Reply } from '../../support/http.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';
import { shows } from '../../support/rollout-rows.ts';

const path = '/plugin-deployments';
const deployCore = {
  ...{ pluginId: 'core-payments', pluginVersion: '1.4.0' },
  ...{ tenantId: acmeId, environment: 'Production' },
};

describe('ways of deploying over HTTP', () => {
  let server: WholeServer;
  beforeEach(async () => {
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerStripe);
    // Who asks is there before anything is tried.
    await server.ask('TenantAdmin', 'GET', path);
  });
  afterEach(() => server.stop());

  const deploy = (body: object): Promise<Reply> => server.ask('TenantAdmin', 'POST', path, body);

  async function completed(body: object = deployCore): Promise<string> {
    const id = await server.deploy(body);
    expect(await server.finished(id)).to.equal('Completed');
    return id;
  }

  /** Tried, and then done: both are told the same, and only one leaves a trace. */
  async function triedAndDone(body: object): Promise<readonly [tried: Reply, done: Reply]> {
    await server.settle();
    const { eventStore } = server.server.ports;
    const head = await eventStore.head();
    const tried = await deploy({ ...body, dryRun: true });
    expect(await eventStore.head()).to.equal(head);
    return [tried, await deploy(body)];
  }

  it(shows('States: dry run', 'says what a deployment would do, and does nothing'), async () => {
    const core = await completed();
    const [tried, done] = await triedAndDone(deployStripe);
    expect([tried.status, done.status]).to.deep.equal([200, 202]);
    expect(tried.body).to.deep.include({
      ...{ dryRun: true, pluginId: 'payment-stripe', pluginVersion: '2.0.0', tenantId: acmeId },
      ...{ environment: 'Production', strategy: 'Canary', runtime: 'simulated', totalInstances: 10 },
      stages: [1, 3, 5, 10].map((instances, index) => ({
        ...{ stage: index + 1, percent: [10, 30, 50, 100][index], instances },
        ...{ bakeSeconds: 300, approval: false },
      })),
      ...{ shortestSeconds: 1_200, onFailure: 'rollback', progressDeadlineSeconds: 600, analysis: [] },
      dependencies: [{ pluginId: 'core-payments', versionConstraint: '>=1.0.0,<2.0.0', current: '1.4.0' }],
      ...{ replaces: null, supersedes: null },
    });
    const { minCpu, minMemoryMB } = registerStripe.version.resources;
    expect(tried.body).to.have.nested.property('quota.atPeak.instances', 11);
    expect(tried.body).to.have.nested.property('quota.reserved.instances', 1);
    const { quota } = tried.body as { quota: Record<'reserved' | 'atPeak', Record<string, number>> };
    expect(quota.atPeak['cpu']! - quota.reserved['cpu']!).to.be.closeTo(minCpu * 10, 1e-6);
    expect(quota.atPeak['memoryMB']! - quota.reserved['memoryMB']!).to.equal(minMemoryMB * 10);
    const again = await deploy({ ...deployCore, dryRun: true });
    expect(again.body).to.deep.include({ replaces: { deploymentId: core, pluginVersion: '1.4.0' } });
  });

  it(shows('States: dry run', 'refuses what is tried exactly as it refuses what is done'), async () => {
    const same = async (body: object, status: number): Promise<void> => {
      const [tried, done] = await triedAndDone(body);
      expect(tried.status, JSON.stringify(tried.body)).to.equal(status);
      const told = ({ body: of }: Reply) => {
        const { error } = of as { error: { code: string; message: string; details: unknown } };
        return [error.code, error.message, error.details];
      };
      expect(told(tried)).to.deep.equal(told(done));
    };
    await same({ ...deployCore, strategy: 'Rolling' }, 400);
    await same({ ...deployCore, pluginVersion: '9.9.9' }, 404);
    await same(deployStripe, 400);
    await completed();
    await completed(deployStripe);
    const version = { ...registerCorePayments.version, semanticVersion: '2.0.0' };
    await server.ask('PluginDeveloper', 'POST', '/plugins', { ...registerCorePayments, version });
    await same({ ...deployCore, pluginVersion: '2.0.0' }, 409);
    await server.ask('PlatformAdmin', 'PATCH', `/tenants/${acmeId}`, { quotas: { maxCpu: 3 } });
    await same(deployStripe, 409);
    await server.deploy(deployCore);
    await same(deployCore, 409);
    await server.ask('PlatformAdmin', 'PATCH', `/tenants/${acmeId}`, {
      rateLimits: { maxDeploymentsPerHour: 3 },
    });
    await same(deployCore, 429);
    await server.ask('PlatformAdmin', 'PATCH', `/tenants/${acmeId}`, { status: 'Suspended' });
    await same({ ...deployCore, environment: 'Staging' }, 429);
  });

  it('does not count what is only tried', async () => {
    await server.ask('PlatformAdmin', 'PATCH', `/tenants/${acmeId}`, {
      rateLimits: { maxDeploymentsPerHour: 1 },
    });
    for (let time = 0; time < 3; time += 1)
      expect((await deploy({ ...deployCore, dryRun: true })).status).to.equal(200);
    expect((await deploy(deployCore)).status).to.equal(202);
    expectRefusal(await deploy({ ...deployCore, dryRun: true }), 429, 'RATE_LIMIT_EXCEEDED');
  });

  it('ends the rollout in flight first when it supersedes it, and starts from what was there before', async () => {
    const first = await completed();
    const second = await server.deploy({ ...deployCore, strategy: 'Canary', totalInstances: 10 });
    await server.pass(60);
    const body = { ...deployCore, totalInstances: 2 };
    const { message } = expectRefusal(await deploy(body), 409, 'CONFLICT');
    expect(message)
      .to.include(second)
      .and.match(/supersede/);
    const tried = await deploy({ ...body, supersede: true, dryRun: true });
    expect(tried.body).to.include({ supersedes: second });
    const third = await server.deploy({ ...body, supersede: true });
    await server.pass(5);
    expect(await server.shown(second)).to.include({
      ...{ status: 'Superseded', reason: `Deployment ${third} supersedes it` },
    });
    expect(await server.shown(third)).to.include({ previousDeploymentId: first });
    expect(await server.finished(third)).to.equal('Completed');
    expect(await server.shown(third)).to.include({ healthyInstances: 2 });
  });

  it('supersedes once when it is repeated', async () => {
    await server.deploy({ ...deployCore, strategy: 'Canary' });
    const headers = { 'Idempotency-Key': randomUUID() };
    const body = { ...deployCore, supersede: true };
    const once = await server.ask('TenantAdmin', 'POST', path, body, { headers });
    const twice = await server.ask('TenantAdmin', 'POST', path, body, { headers });
    expect(twice.body).to.deep.equal(once.body);
    const { deploymentId } = once.body as { deploymentId: string };
    expect(await server.finished(deploymentId)).to.equal('Completed');
  });

  it('pauses what is held to a metric that nobody measures, and goes on when it is promoted', async () => {
    const analysis = [{ metric: 'errorRate', max: 0.01, minRequests: 20 }];
    const id = await server.deploy({ ...deployCore, analysis });
    await server.pass(120);
    const paused = await server.shown(id);
    expect(paused).to.include({ status: 'Paused' });
    expect(paused.reason).to.match(/Too few requests to judge errorRate/);
    expect(paused.plan.analysis).to.deep.equal([{ ...analysis[0], reports: 1, failureLimit: 0 }]);
    expect((await server.ask('TenantAdmin', 'POST', `${path}/${id}/promote`)).status).to.equal(202);
    expect(await server.finished(id)).to.equal('Completed');
  });
});
