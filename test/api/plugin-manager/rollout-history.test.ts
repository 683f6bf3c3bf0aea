/** What is told of rollouts afterwards, and all of them standing still, over HTTP. */
import { expect } from 'chai';
import { FreezeAnswer } from '../../../src/api/plugin-manager/rollout-freeze.ts';
import { HistoryAnswer } from '../../../src/api/plugin-manager/rollouts.ts';
import { createAcme, registerCorePayments } from '../../fixtures/plugin-manager.ts';
import { adminEmail } from '../../support/server.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';

const path = '/plugin-deployments';
const deployCore = {
  ...{ pluginId: 'core-payments', pluginVersion: '1.4.0' },
  ...{ tenantId: acmeId, environment: 'Production' },
};
const canary = { ...deployCore, strategy: 'Canary', totalInstances: 10 };

describe('rollouts that are told of, and that stand still, over HTTP', () => {
  let server: WholeServer;
  beforeEach(async () => {
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
  });
  afterEach(() => server.stop());

  async function history(id: string, query = '?limit=100') {
    const reply = await server.ask('TenantAdmin', 'GET', `${path}/${id}/history${query}`);
    expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
    return HistoryAnswer.parse(reply.body);
  }
  const ask = (method: string, body?: object) => server.ask('PlatformAdmin', method, '/rollout-freeze', body);

  it('tells every decision with what it stood on, and who asked', async () => {
    const id = await server.deploy(canary);
    await server.pass(60);
    const reason = 'Lunch';
    await server.ask('TenantAdmin', 'POST', `${path}/${id}/pause`, { reason });
    await server.ask('PlatformAdmin', 'POST', `${path}/${id}/resume`, { reason: 'Fed' });
    expect(await server.finished(id)).to.equal('Completed');
    const { entries, total } = await history(id);
    expect(total).to.equal(entries.length);
    expect(entries.map(({ event }) => event).filter((event) => event !== 'StageStarted')).to.deep.equal([
      ...['DeploymentRequested', 'CanaryStageReached', 'RolloutPaused', 'RolloutResumed'],
      ...['CanaryStageReached', 'CanaryStageReached', 'CanaryStageReached'],
      ...['PromotionStarted', 'DeploymentCompleted'],
    ]);
    expect(entries[0]).to.include({ by: `tenantadmin@${acmeId}.example.com`, stage: null });
    const paused = entries.find(({ event }) => event === 'RolloutPaused');
    expect(paused).to.include({ summary: 'It was paused', reason, by: `tenantadmin@${acmeId}.example.com` });
    expect(entries.find(({ event }) => event === 'RolloutResumed')).to.include({ by: adminEmail });
    const [, second] = entries.filter(({ event }) => event === 'StageStarted');
    expect(second).to.include({ stage: 2, instances: 3, by: null });
    expect(second?.summary).to.equal('Stage 2 of 4 began: 3 of 10 instances start');
    expect(second?.evidence[0]).to.match(/^It baked 3\d\d seconds of 300 seconds under fresh evidence$/);
    expect(second?.evidence[1]).to.equal('1 of 1 new instance is ready');
    expect(second?.evidence[2]).to.match(/^inst-\w+ passed \d+ times in this stage, the last \d+ in a row$/);
    const page = await history(id, '?limit=2&offset=1');
    expect(page).to.deep.equal({
      deploymentId: id,
      entries: entries.slice(1, 3),
      total,
      limit: 2,
      offset: 1,
    });
  });

  it('tells why a rollout went back by itself, and to nobody else', async () => {
    const id = await server.deploy({ ...canary, configuration: { simulate: 'sick-after:60' } });
    expect(await server.finished(id)).to.equal('Failed');
    const { entries } = await history(id);
    const back = entries.find(({ event }) => event === 'RollbackStarted');
    expect(back).to.include({ summary: 'It goes back by itself, to nothing: it was the first', by: null });
    expect(back?.reason).to.match(/failed 3 probes in a row/);
    expect(back?.evidence[0]).to.match(/^inst-\w+ failed its last 3 probes$/);
    await server.ask('PlatformAdmin', 'POST', '/tenants', { tenantId: 'tenant-globex', name: 'Globex' });
    const token = await server.asRole('TenantAdmin', 'tenant-globex');
    expectRefusal(await server.call('GET', `/api/v1${path}/${id}/history`, { token }), 404, 'NOT_FOUND', []);
  });

  it('freezes all rollouts: nothing is accepted or advances, and what goes back does', async () => {
    const first = await server.deploy(deployCore);
    expect(await server.finished(first)).to.equal('Completed');
    const id = await server.deploy(canary);
    await server.pass(60);
    const reason = 'Black Friday';
    const frozen = await ask('PUT', { reason });
    const since = new Date(server.clock.now()).toISOString();
    expect(FreezeAnswer.parse(frozen.body)).to.deep.equal({ frozen: true, reason, by: adminEmail, since });
    expect((await ask('PUT', { reason: 'Again' })).body).to.deep.equal(frozen.body);
    const shown = await server.ask('TenantAdmin', 'GET', '/rollout-freeze');
    expect(shown.body).to.deep.equal(frozen.body);
    for (const more of [{}, { force: true }, { dryRun: true }]) {
      const body = { ...deployCore, environment: 'Staging', ...more };
      const { message } = expectRefusal(
        await server.ask('PlatformAdmin', 'POST', path, body),
        409,
        'CONFLICT',
      );
      expect(message).to.include(reason).and.include(since);
    }
    await server.pass(1_800);
    expect(await server.shown(id)).to.include({ phase: 'Baking', stage: 1 });
    const { message } = expectRefusal(
      await server.ask('TenantAdmin', 'PUT', '/rollout-freeze', { reason }),
      403,
      'FORBIDDEN',
    );
    expect(message).to.include('rollouts:freeze');

    expect((await ask('DELETE')).body).to.include({ frozen: false, since: null });
    expect((await ask('DELETE')).status).to.equal(200);
    expect(await server.finished(id)).to.equal('Completed');
    const { entries } = await history(id);
    const [, second] = entries.filter(({ event }) => event === 'StageStarted');
    expect(Date.parse(second?.at ?? '') - Date.parse(since)).to.be.at.least(2_000_000);

    await ask('PUT', { reason });
    expect((await server.ask('TenantAdmin', 'POST', `${path}/${id}/rollback`)).status).to.equal(202);
    expect(await server.finished(id)).to.equal('RolledBack');
    expect((await server.ask('TenantAdmin', 'DELETE', `${path}/${first}`)).status).to.equal(202);
    expect(await server.shown(first)).to.include({ status: 'Undeployed' });
  });

  it('takes back a canary that falls sick while all is frozen, also after a restart', async () => {
    await server.finished(await server.deploy(deployCore));
    const id = await server.deploy({ ...canary, configuration: { simulate: 'sick-after:120' } });
    await server.pass(60);
    await ask('PUT', { reason: 'Night' });
    await server.restart();
    expect((await ask('GET')).body).to.include({ frozen: true });
    await server.pass(300);
    expect(await server.shown(id)).to.include({ status: 'RolledBack' });
  });
});
