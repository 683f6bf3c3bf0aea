/** A server that is started with another SLIPWAY_RUNTIME: every deployment stays where it was deployed. */
import { expect } from 'chai';
import { AssignmentsAnswer } from '../../src/api/plugin-manager/agent-schemas.ts';
import { DeployedAnswer, DeploymentAnswer } from '../../src/api/plugin-manager/deployment-schemas.ts';
import { CreatedApiKeyAnswer } from '../../src/api/plugin-manager/user-schemas.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

describe('a server whose runtime was set to another', function () {
  this.timeout(60_000);
  const clock = createVirtualClock();
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: TestServer;
  before(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => server.stop());
  after(() => folder.remove());

  const start = async (settings: Readonly<Record<string, string>>): Promise<void> => {
    server = await startTestServer({ folder: folder.path, settings, ports: { clock } });
    await server.settle();
  };
  const ask = async (method: string, path: string, body?: object) => {
    await server.settle();
    const token = await server.asRole('PlatformAdmin');
    const reply = await server.call(method, `/api/v1${path}`, { token, ...(body ? { body } : {}) });
    expect(reply.status, JSON.stringify(reply.body)).to.be.within(200, 299);
    return reply.body;
  };
  const deploy = async (pluginId: string, pluginVersion = '1.0.0', more: object = {}): Promise<string> => {
    const place = { tenantId: 'acme', environment: 'Production' };
    const body = { pluginId, pluginVersion, ...place, ...more };
    return DeployedAnswer.parse(await ask('POST', '/plugin-deployments', body)).deploymentId;
  };
  const shown = async (id: string) => DeploymentAnswer.parse(await ask('GET', `/plugin-deployments/${id}`));
  const publish = (pluginId: string, semanticVersion = '1.0.0') =>
    ask('POST', '/plugins', {
      ...{ pluginId, name: pluginId },
      version: { semanticVersion, state: 'Stable', runtime: { type: 'DotNet8' } },
    });
  let key = '';
  const assigned = async () => {
    await server.settle();
    const reply = await server.call('GET', '/api/v1/agent/assignments', { headers: { 'X-API-Key': key } });
    const { assignments } = AssignmentsAnswer.parse(reply.body);
    return assignments.flatMap(({ epoch, deployments }) =>
      deployments.map(({ deploymentId, instances }) => ({ epoch, deploymentId, instances })),
    );
  };
  /** One instance of each, well every ten seconds. */
  const report = async (seconds: number): Promise<void> => {
    for (let passed = 0; passed < seconds; passed += 10) {
      for (const { deploymentId, epoch } of await assigned()) {
        sequence += 1;
        const body = { epoch, reports: [{ instance: `of-${deploymentId}`, sequence, outcome: 'pass' }] };
        const path = `/api/v1/plugin-deployments/${deploymentId}/health-reports`;
        await server.call('POST', path, { headers: { 'X-API-Key': key }, body });
      }
      await clock.advance(10_000, server.settle);
    }
  };
  let sequence = 0;
  const ids: Record<string, string> = {};

  it('begins with a simulated deployment, and hands nothing to agents', async () => {
    await start({});
    await ask('POST', '/tenants', { tenantId: 'acme', name: 'Acme' });
    await publish('simulated');
    await publish('mailer');
    await publish('mailer', '2.0.0');
    ids['simulated'] = await deploy('simulated');
    await clock.advance(120_000, server.settle);
    expect(await shown(ids['simulated'])).to.include({ status: 'Completed', healthyInstances: 1 });
    const scope = { tenantId: 'acme', environment: 'Production' };
    key = CreatedApiKeyAnswer.parse(await ask('POST', '/api-keys', { name: 'Agent', scope })).key;
    expect(await assigned()).to.deep.equal([]);
  });

  it('set to agent, hands them what is deployed from now on; the simulated one goes on as it was', async () => {
    await start({ SLIPWAY_RUNTIME: 'agent' });
    ids['old'] = await deploy('mailer');
    expect((await assigned()).map(({ deploymentId }) => deploymentId)).to.deep.equal([ids['old']]);
    await report(120);
    expect(await shown(ids['old'])).to.include({
      status: 'Completed',
      runtime: 'agent',
      healthyInstances: 1,
    });
    expect(await shown(ids['simulated'] ?? '')).to.include({ runtime: 'simulated', healthyInstances: 1 });
  });

  it('set back in the middle of a rollout, leaves that to its agents, and simulates nothing of it', async () => {
    await start({ SLIPWAY_RUNTIME: 'agent' });
    ids['new'] = await deploy('mailer', '2.0.0', { strategyConfig: { bakeSeconds: '100' } });
    await report(60);
    expect(await shown(ids['new'])).to.include({ phase: 'Baking' });
    await server.stop();
    await start({ SLIPWAY_RUNTIME: 'simulated' });
    expect((await assigned()).map(({ deploymentId }) => deploymentId)).to.have.members([
      ids['old'],
      ids['new'],
    ]);
    await clock.advance(600_000, server.settle);
    expect(await shown(ids['new']), 'nobody reports').to.include({ phase: 'Paused', runtime: 'agent' });
    await report(150);
    expect(await shown(ids['new'])).to.include({ status: 'Completed' });
  });

  it('in production, has nobody for what was simulated: its rollouts stand still, and are not judged', async () => {
    await start({});
    const id = await deploy('simulated', '1.0.0', { strategyConfig: { bakeSeconds: '600' } });
    await clock.advance(60_000, server.settle);
    expect(await shown(id)).to.include({ phase: 'Baking' });
    await server.stop();
    await start({ SLIPWAY_RUNTIME: 'agent', NODE_ENV: 'production' });
    await clock.advance(3_600_000, server.settle);
    expect(await shown(id)).to.include({ phase: 'Paused', runtime: 'simulated' });
    expect((await assigned()).map(({ deploymentId }) => deploymentId)).to.deep.equal([ids['new']]);
  });
});
