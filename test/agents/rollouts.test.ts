/** Rollouts whose instances live elsewhere: the server and its agents over HTTP, on a virtual clock. */
import { expect } from 'chai';
import {
  createAcme,
  deployStripe,
  registerCorePayments,
  registerStripe,
} from '../fixtures/plugin-manager.ts';
import { type AgentServer, openAgentServer } from '../support/agent-server.ts';

describe('a rollout on agents', function () {
  this.timeout(120_000);
  let server: AgentServer;
  beforeEach(async () => {
    server = await openAgentServer();
    expect((await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme)).status).to.equal(201);
    for (const body of [registerCorePayments, registerStripe]) await register(body);
  });
  afterEach(() => server.stop());

  const register = async (body: object): Promise<void> => {
    expect((await server.ask('PluginDeveloper', 'POST', '/plugins', body)).status).to.equal(201);
  };
  const completed = async (body: object): Promise<string> => {
    const id = await server.deploy(body);
    expect(await server.finished(id)).to.equal('Completed');
    return id;
  };
  const directly = (pluginId: string, pluginVersion: string) => {
    const { tenantId, environment } = deployStripe;
    return { pluginId, pluginVersion, tenantId, environment };
  };
  /** What the document's deployment depends on, and an older version in its slot: four instances, asked every ten seconds. */
  const deployOlder = async (): Promise<string> => {
    const version = { ...registerStripe.version, semanticVersion: '1.9.0' };
    await register({ ...registerStripe, version });
    await completed(directly('core-payments', '1.4.0'));
    return completed({ ...directly('payment-stripe', '1.9.0'), totalInstances: 4 });
  };
  const until = async (id: string, phase: string): Promise<Awaited<ReturnType<AgentServer['shown']>>> => {
    for (let time = 0; time < 200; time += 1) {
      const shown = await server.shown(id);
      if (shown.phase === phase) return shown;
      await server.pass(10);
    }
    throw new Error(`${id} is ${(await server.shown(id)).phase}, not ${phase}`);
  };
  const typesOf = async (id: string): Promise<string[]> =>
    (await server.server.ports.eventStore.readStream(`deployment-${id}`, { limit: 1_000 })).map(
      ({ type }) => type,
    );

  it("completes the document's own DotNet8 deployment, posted word for word", async () => {
    const agent = await server.startAgent();
    await completed(directly('core-payments', '1.4.0'));
    const id = await server.deploy(deployStripe);
    expect(await server.finished(id)).to.equal('Completed');
    expect(agent.count(id)).to.equal(10);
    expect(await server.shown(id)).to.include({ runtime: 'agent', progress: 100, healthyInstances: 10 });
  });

  it('goes back when its agent reports failure, says why, and the agent stops the new ones alone', async () => {
    const agent = await server.startAgent({ simulate: ['healthy', 'payment-stripe@2.0.0=sick-after:400'] });
    const old = await deployOlder();
    const id = await server.deploy(deployStripe);
    expect(await server.finished(id)).to.equal('RolledBack');
    expect((await server.shown(id)).reason).to.match(/^\d of 3 new instances failed 3 probes in a row/);
    await server.pass(1);
    expect([agent.count(old), agent.count(id)]).to.deep.equal([4, 0]);
  });

  it('goes back when a canary crashes, which its agent tells by whom it stands in for', async () => {
    await server.startAgent({ simulate: ['healthy', 'payment-stripe@2.0.0=crash-loop:100'] });
    await deployOlder();
    const id = await server.deploy(deployStripe);
    expect(await server.finished(id)).to.equal('RolledBack');
    expect((await server.shown(id)).reason).to.equal('1 new instance died and had to be restarted');
  });

  it('goes back five minutes after the agent of the canary alone fell silent', async () => {
    await server.startAgent({ only: ['core-payments', 'payment-stripe@1.9.0'] });
    await deployOlder();
    const canaries = await server.startAgent({ only: ['payment-stripe@2.0.0'] });
    const id = await server.deploy(deployStripe);
    await until(id, 'Baking');
    await canaries.stop();
    await server.pass(270);
    expect((await server.shown(id)).phase).to.equal('Baking');
    expect(await server.finished(id)).to.equal('RolledBack');
    expect((await server.shown(id)).reason).to.equal('1 of 1 new instance gave no report for 300 seconds');
  });

  it('pauses when all agents fall silent, goes back in no time at all, and goes on when they return', async () => {
    const agents = [
      await server.startAgent({ only: ['core-payments', 'payment-stripe@1.9.0'] }),
      await server.startAgent({ only: ['payment-stripe@2.0.0'] }),
    ];
    await deployOlder();
    const id = await server.deploy(deployStripe);
    await until(id, 'Baking');
    for (const agent of agents) await agent.stop();
    await server.pass(2 * 3_600);
    const { phase, status, reason } = await server.shown(id);
    expect([phase, status]).to.deep.equal(['Paused', 'Paused']);
    expect(reason).to.equal('New and old instances are silent alike');
    const stream = await server.server.ports.eventStore.readStream(`deployment-${id}`, { limit: 1_000 });
    expect(stream.findLast(({ type }) => type === 'RolloutPaused')?.data['evidence']).to.deep.equal([
      '0 of 1 new instance and 0 of 4 old instances still report',
    ]);
    expect(await typesOf(id)).not.to.include('RollbackStarted');
    await server.startAgent();
    expect(await server.finished(id)).to.equal('Completed');
  });

  it('pauses when the agent of a first deployment falls silent: nothing is there to compare with', async () => {
    const agent = await server.startAgent();
    const id = await server.deploy({ ...deployStripe, pluginId: 'core-payments', pluginVersion: '1.4.0' });
    await until(id, 'Baking');
    await agent.stop();
    const { reason } = await until(id, 'Paused');
    expect(reason).to.equal('The agent is silent, and there is no old instance to compare with');
  });

  it('takes fresh instances after a restart of the agent for no crash, and makes them prove themselves', async () => {
    const agent = await server.startAgent();
    await deployOlder();
    const id = await server.deploy(deployStripe);
    await until(id, 'Baking');
    await agent.stop();
    await server.pass(20);
    await server.startAgent();
    expect(await server.finished(id)).to.equal('Completed');
  });

  it('rolls a completed deployment back through agents as well', async () => {
    const agent = await server.startAgent();
    const old = await deployOlder();
    const id = await completed(deployStripe);
    const reply = await server.ask('TenantAdmin', 'POST', `/plugin-deployments/${id}/rollback`, {});
    expect(reply.status).to.equal(202);
    expect(await server.finished(id)).to.equal('RolledBack');
    await server.pass(1);
    expect([agent.count(old), agent.count(id)]).to.deep.equal([4, 0]);
  });
});
