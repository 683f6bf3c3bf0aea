/** Rollouts as callers see them over HTTP: dependencies, slots, canaries, ways back, tenants (decisions 8, 20, 24-28). */
import { expect } from 'chai';
import { ErrorBody } from '../../../src/api/plugin-manager/errors.ts';
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
  pluginId: 'core-payments',
  pluginVersion: '1.4.0',
  tenantId: acmeId,
  environment: 'Production',
};

describe('deploying over HTTP', () => {
  let server: WholeServer;
  beforeEach(async () => {
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerStripe);
  });
  afterEach(() => server.stop());

  const ask = (method: string, below: string, body?: unknown): Promise<Reply> =>
    server.ask('TenantAdmin', method, path + below, body);

  async function deployed(body: object = deployCore): Promise<string> {
    const id = await server.deploy(body);
    expect(await server.finished(id)).to.equal('Completed');
    return id;
  }

  it('needs what the version requires to be current there, and says what is missing', async () => {
    const { details } = expectRefusal(await ask('POST', '', deployStripe), 400, 'DEPENDENCY_CONFLICT', [
      'pluginId',
    ]);
    expect(details[0]?.message).to.include('core-payments').and.include('>=1.0.0,<2.0.0');
    await deployed({ ...deployCore, environment: 'Staging' });
    const elsewhere = expectRefusal(await ask('POST', '', deployStripe), 400, 'DEPENDENCY_CONFLICT');
    expect(elsewhere.details[0]?.message).to.include('Production');
    expect((await ask('GET', '?pluginId=payment-stripe')).body).to.include({ total: 0 });
    await server.deploy(deployCore);
    expectRefusal(await ask('POST', '', deployStripe), 400, 'DEPENDENCY_CONFLICT');
    await server.pass(300);
    expect((await ask('POST', '', deployStripe)).status).to.equal(202);
  });

  it('walks through 1, 3, 5 and 10 of 10 instances to Completed', async () => {
    await deployed();
    const id = await server.deploy(deployStripe);
    const seen: string[] = [];
    let progress = 0;
    let estimated = 0;
    for (let minute = 0; minute < 30; minute += 1) {
      const view = await server.shown(id);
      expect(view.progress).to.be.at.least(progress);
      ({ progress } = view);
      if (view.phase === 'Baking') {
        const step = `${view.stage} of ${view.stages}: ${view.healthyInstances}/${view.totalInstances}`;
        if (seen.at(-1) !== step) seen.push(step);
        expect(view.progress).to.equal(view.healthyInstances * 10);
        estimated = Date.parse(view.estimatedCompletionAt ?? '');
        expect(estimated).to.be.greaterThan(server.clock.now());
      }
      if (view.status === 'Completed') break;
      await server.pass(60);
    }
    expect(seen).to.deep.equal(['1 of 4: 1/10', '2 of 4: 3/10', '3 of 4: 5/10', '4 of 4: 10/10']);
    const view = await server.shown(id);
    expect(view).to.include({ status: 'Completed', phase: 'Completed', progress: 100, healthyInstances: 10 });
    expect(view).to.include({ reason: null, estimatedCompletionAt: null, unhealthyInstances: 0 });
    const took = Date.parse(view.completedAt ?? '') - Date.parse(view.startedAt);
    expect(took / 60_000).to.be.within(20, 25);
    expect(Date.parse(view.completedAt ?? '') - estimated).to.be.below(60_000);
  });

  it('takes a sick canary back and says why', async () => {
    const first = await deployed();
    const sick = await server.deploy({
      ...{ ...deployCore, strategy: 'Canary', totalInstances: 10 },
      configuration: { simulate: 'sick-after:60' },
    });
    expect(await server.finished(sick)).to.equal('RolledBack');
    const view = await server.shown(sick);
    expect(view.reason).to.be.a('string').and.not.equal('');
    expect(view).to.include({ previousDeploymentId: first, progress: 0, stage: 1, stages: 4 });
    expect(view.rolledBackAt).to.be.a('string');
    expect(await server.shown(first)).to.include({ status: 'Completed', healthyInstances: 1 });
  });

  it('makes what was just taken back wait for ten minutes, unless it is changed or forced', async () => {
    await deployed();
    const sick = { ...deployCore, configuration: { simulate: 'sick-after:30' } };
    expect(await server.finished(await server.deploy(sick))).to.equal('RolledBack');
    const { message } = expectRefusal(await ask('POST', '', sick), 409, 'CONFLICT');
    expect(message).to.match(/wait until 2030-.*force/);
    expect(await server.finished(await server.deploy({ ...sick, force: true }))).to.equal('RolledBack');
    await deployed({ ...sick, configuration: { simulate: 'healthy' } });
    await server.pass(600);
    await server.deploy(sick);
  });

  it(
    shows(
      'States: a second is told the first',
      'has one rollout in flight in a slot, whatever the case of its environment',
    ),
    async () => {
      const id = await server.deploy(deployCore);
      for (const environment of ['Production', 'PRODUCTION']) {
        const { message } = expectRefusal(
          await ask('POST', '', { ...deployCore, environment }),
          409,
          'CONFLICT',
        );
        expect(message).to.include(id);
      }
      expect((await ask('GET', '')).body).to.include({ total: 1 });
      await server.deploy({ ...deployCore, environment: 'Staging' });
      expect(await server.finished(id)).to.equal('Completed');
      await server.deploy(deployCore);
    },
  );

  it('has nothing to return to from the first of a slot, running or completed', async () => {
    const first = await server.deploy(deployCore);
    await server.pass(30);
    expectRefusal(await ask('POST', `/${first}/rollback`), 409, 'CONFLICT');
    expect(await server.finished(first)).to.equal('Completed');
    expectRefusal(await ask('POST', `/${first}/rollback`, { reason: 'No' }), 409, 'CONFLICT');
    expect(await server.shown(first)).to.include({ status: 'Completed', rolledBackAt: null });
  });

  it('rolls back a running and a completed rollout, and answers a repetition the same', async () => {
    const first = await deployed();
    for (const run of ['running', 'completed'] as const) {
      const second = await server.deploy({ ...deployCore, totalInstances: 2 });
      if (run === 'completed') await server.finished(second);
      else await server.pass(30);
      const accepted = await ask('POST', `/${second}/rollback`, { reason: 'High error rate' });
      expect(accepted.status, run).to.equal(202);
      const answer = { deploymentId: second, previousDeploymentId: first };
      const rolledBackAt = new Date(server.clock.now()).toISOString();
      expect(accepted.body).to.deep.equal({ ...answer, rolledBackAt, status: 'RollingBack' });
      const again = await ask('POST', `/${second}/rollback`, { reason: 'High error rate' });
      expect(again.status).to.equal(202);
      expect(again.body).to.deep.include({ ...answer, rolledBackAt });
      expect(await server.finished(second)).to.equal('RolledBack');
      expect(await server.shown(second)).to.include({ rolledBackAt, reason: 'High error rate' });
      const late = await ask('POST', `/${second}/rollback`);
      expect(late.status).to.equal(202);
      expect(late.body).to.deep.equal({ ...answer, rolledBackAt, status: 'RolledBack' });
    }
    expect(await server.shown(first)).to.include({ status: 'Completed', healthyInstances: 1 });
    expect((await server.ask('Viewer', 'GET', '/plugins/core-payments')).body).to.include({
      installationCount: 1,
    });
  });

  it('rolls back only the current one of a slot, and the same one as often as it is asked', async () => {
    const first = await deployed();
    const second = await deployed({ ...deployCore, totalInstances: 2 });
    expectRefusal(await ask('POST', `/${first}/rollback`), 409, 'CONFLICT');
    expect((await ask('POST', `/${second}/rollback`)).status).to.equal(202);
    expect(await server.finished(second)).to.equal('RolledBack');
    expect((await ask('POST', `/${second}/rollback`)).status).to.equal(202);
  });

  it('names the strategies that do not exist yet', async () => {
    for (const strategy of ['Rolling', 'BlueGreen', 'Sideways'])
      expectRefusal(await ask('POST', '', { ...deployCore, strategy }), 400, 'VALIDATION_ERROR', [
        'strategy',
      ]);
  });

  it('tells nobody anything of other tenants', async () => {
    await server.ask('PlatformAdmin', 'POST', '/tenants', { tenantId: 'tenant-globex', name: 'Globex' });
    const id = await server.deploy(deployCore);
    const token = await server.asRole('TenantAdmin', 'tenant-globex');
    const foreign = (method: string, below: string, body?: object) =>
      server.call(method, `/api/v1${below}`, { token, ...(body ? { body } : {}) });
    for (const tenantId of [acmeId, 'tenant-nobody']) {
      for (const refused of [
        await foreign('GET', `/tenants/${tenantId}`),
        await foreign('GET', `${path}?tenantId=${tenantId}`),
        await foreign('POST', path, { ...deployCore, tenantId }),
      ]) {
        expectRefusal(refused, 403, 'FORBIDDEN', []);
        expect(told(refused, tenantId)).to.equal(told(await foreign('GET', '/tenants/tenant-x'), 'tenant-x'));
      }
    }
    for (const [method, below] of [
      ['GET', ''],
      ['POST', '/rollback'],
    ] as const) {
      const one = await foreign(method, `${path}/${id}${below}`);
      const unknown = `dep-${'0'.repeat(20)}`;
      expectRefusal(one, 404, 'NOT_FOUND');
      expect(told(one, id)).to.equal(told(await foreign(method, `${path}/${unknown}${below}`), unknown));
    }
    expect((await foreign('GET', path)).body).to.deep.include({ deployments: [], total: 0 });
    expect((await server.ask('PlatformAdmin', 'GET', `${path}/${id}`)).status).to.equal(200);
  });
});

/** Status and bytes, but for the id that was asked for and the ids and times of the request. */
function told({ status, body, headers }: Reply, id: string): string {
  const { traceId, timestamp } = ErrorBody.parse(body).error;
  const text = JSON.stringify(body).replaceAll(traceId, '').replaceAll(timestamp, '').replaceAll(id, '');
  const names = [...headers.keys()].filter((name) => name !== 'content-length');
  return `${status} ${text} ${names.join()}`;
}
