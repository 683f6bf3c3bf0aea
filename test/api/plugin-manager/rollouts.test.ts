/** What people ask of rollouts over HTTP: pause, resume, promote, abort, approve, undeploy (decisions 5, 20). */
import { expect } from 'chai';
import { createAcme, registerCorePayments, registerStripe } from '../../fixtures/plugin-manager.ts';
import type { Reply } from '../../support/http.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';

const path = '/plugin-deployments';
const deployCore = {
  ...{ pluginId: 'core-payments', pluginVersion: '1.4.0' },
  ...{ tenantId: acmeId, environment: 'Production' },
};
const deployStripe = { ...deployCore, pluginId: 'payment-stripe', pluginVersion: '2.0.0' };
const canary = { ...deployCore, strategy: 'Canary', totalInstances: 10 };

describe('what is asked of rollouts over HTTP', function () {
  // Virtual hours on real files: a busy machine takes its time.
  this.timeout(60_000);
  let server: WholeServer;
  beforeEach(async () => {
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerStripe);
  });
  afterEach(() => server.stop());

  const ask = (id: string, word: string, body?: object): Promise<Reply> =>
    server.ask('TenantAdmin', 'POST', `${path}/${id}/${word}`, body);
  const remove = (id: string, query = ''): Promise<Reply> =>
    server.ask('TenantAdmin', 'DELETE', `${path}/${id}${query}`);

  /** Accepted twice, with the same answer. */
  async function accepted(id: string, word: string, body?: object): Promise<object> {
    const first = await ask(id, word, body);
    expect(first.status, JSON.stringify(first.body)).to.equal(202);
    const again = await ask(id, word, body);
    expect([again.status, again.body]).to.deep.equal([202, first.body]);
    return first.body as object;
  }

  async function completed(body: object = deployCore): Promise<string> {
    const id = await server.deploy(body);
    expect(await server.finished(id)).to.equal('Completed');
    return id;
  }

  it('pauses until it is resumed, with the reason that was given', async () => {
    const id = await server.deploy(canary);
    await server.pass(60);
    const paused = { status: 'Paused', phase: 'Paused', stage: 1, stages: 4 };
    const reason = 'The support team is busy';
    expect(await accepted(id, 'pause', { reason })).to.deep.equal({ deploymentId: id, ...paused, reason });
    await server.pass(3_600);
    expect(await server.shown(id)).to.include({ ...paused, reason });
    expect(await accepted(id, 'resume')).to.include({ status: 'InProgress', stage: 1, reason: null });
    expect(await server.finished(id)).to.equal('Completed');
    for (const word of ['pause', 'resume', 'abort', 'approve']) {
      const { message } = expectRefusal(await ask(id, word), 409, 'CONFLICT', []);
      expect(message).to.include(id);
    }
    expect(await accepted(id, 'promote')).to.include({ status: 'Completed' });
  });

  it('skips the bakes that remain when it is promoted', async () => {
    const id = await server.deploy({ ...canary, strategyConfig: { stageInterval: '3600' } });
    await server.pass(60);
    expect((await ask(id, 'promote')).status).to.equal(202);
    await server.pass(300);
    expect(await server.shown(id)).to.include({ status: 'Completed' });
  });

  it('returns to what was there when it is aborted, and ends Cancelled', async () => {
    const first = await completed();
    const id = await server.deploy(canary);
    await server.pass(60);
    expect((await ask(id, 'abort', { reason: 'Wrong version' })).status).to.equal(202);
    expect(await server.shown(id)).to.include({ status: 'Cancelled', reason: 'Wrong version' });
    expect((await ask(id, 'abort')).body).to.include({ status: 'Cancelled' });
    expect(await server.shown(first)).to.include({ status: 'Completed', healthyInstances: 1 });
    expectRefusal(await ask(id, 'resume'), 409, 'CONFLICT');
  });

  it('waits for a person where the plan says so', async () => {
    const waiting = { ...canary, strategyConfig: { approval: '10' } };
    const id = await server.deploy(waiting);
    expectRefusal(await ask(id, 'approve'), 409, 'CONFLICT');
    await server.pass(400);
    expect(await server.shown(id)).to.include({ status: 'InProgress', phase: 'Approval', stage: 1 });
    server.clock.jump(server.clock.now() + 20 * 3_600_000);
    await server.pass(60);
    expect((await ask(id, 'approve', { reason: 'The numbers look good' })).status).to.equal(202);
    expect(await server.finished(id)).to.equal('Completed');
  });

  it('undeploys a running rollout and the current deployment', async () => {
    const first = await completed();
    const id = await server.deploy(canary);
    await server.pass(60);
    expectRefusal(await remove(first), 409, 'CONFLICT');
    expect((await remove(id, '?reason=Not%20yet')).status).to.equal(202);
    expect(await server.shown(id)).to.include({ status: 'Undeployed', reason: 'Not yet' });
    expect(await server.shown(first)).to.include({ status: 'Completed', healthyInstances: 1 });
    expect((await remove(first)).status).to.equal(202);
    expect(await server.shown(first)).to.include({ status: 'Undeployed', healthyInstances: 0 });
    expect((await remove(first)).body).to.include({ status: 'Undeployed' });
    const plugins = await server.ask('TenantAdmin', 'GET', `/tenants/${acmeId}/plugins`);
    expect(plugins.body).to.deep.include({ plugins: [] });
  });

  it('leaves what others require where it is, unless it is forced', async () => {
    const core = await completed();
    const stripe = await completed(deployStripe);
    const { message, details } = expectRefusal(await remove(core), 409, 'CONFLICT', ['deploymentId']);
    expect(message).to.match(/force/);
    expect(details[0]?.message).to.include(stripe).and.include('payment-stripe 2.0.0');
    expect(await server.shown(core)).to.include({ status: 'Completed', healthyInstances: 1 });
    expect((await remove(core, '?force=true')).status).to.equal(202);
    expect(await server.shown(core)).to.include({ status: 'Undeployed' });
  });

  it('does not replace what others require by what breaks them, unless it is forced', async () => {
    await completed();
    await completed(deployStripe);
    const version = { ...registerCorePayments.version, semanticVersion: '2.0.0' };
    await server.ask('PluginDeveloper', 'POST', '/plugins', { ...registerCorePayments, version });
    const next = { ...deployCore, pluginVersion: '2.0.0' };
    const refused = await server.ask('TenantAdmin', 'POST', path, next);
    expectRefusal(refused, 409, 'CONFLICT', ['pluginVersion']);
    expect((await server.ask('TenantAdmin', 'GET', path)).body).to.include({ total: 2 });
    await completed({ ...next, force: true });
  });

  it('rolls back to none but the three last that completed', async () => {
    const ids: string[] = [];
    for (let round = 0; round < 5; round += 1) ids.push(await completed());
    for (const id of ids.slice(-2).reverse()) {
      expect((await ask(id, 'rollback')).status).to.equal(202);
      expect(await server.finished(id)).to.equal('RolledBack');
    }
    const { message } = expectRefusal(await ask(ids[2]!, 'rollback'), 409, 'CONFLICT');
    expect(message)
      .to.include(ids[1])
      .and.match(/last 3.*deploy its version anew/);
    expect(await server.shown(ids[2]!)).to.include({ status: 'Completed', healthyInstances: 1 });
  });

  it('rolls back to a version that was yanked since', async () => {
    const first = await completed();
    const version = { ...registerCorePayments.version, semanticVersion: '1.5.0' };
    await server.ask('PluginDeveloper', 'POST', '/plugins', { ...registerCorePayments, version });
    const second = await completed({ ...deployCore, pluginVersion: '1.5.0' });
    const yanked = await server.ask('PluginDeveloper', 'PATCH', '/plugins/core-payments/versions/1.4.0', {
      state: 'Yanked',
    });
    expect(yanked.status).to.equal(200);
    expect((await ask(second, 'rollback')).status).to.equal(202);
    expect(await server.finished(second)).to.equal('RolledBack');
    expect(await server.shown(first)).to.include({ status: 'Completed', healthyInstances: 1 });
  });

  it('is closed to a tenant that is suspended, and unknown to every other', async () => {
    await server.ask('PlatformAdmin', 'POST', '/tenants', { tenantId: 'tenant-globex', name: 'Globex' });
    const id = await server.deploy(canary);
    const token = await server.asRole('TenantAdmin', 'tenant-globex');
    const all = ['pause', 'resume', 'promote', 'abort', 'approve', 'rollback'].map((word) => `/${word}`);
    for (const [method, below] of [
      ...all.map((below) => ['POST', below] as const),
      ['DELETE', ''] as const,
    ]) {
      const foreign = await server.call(method, `/api/v1${path}/${id}${below}`, { token });
      const { message } = expectRefusal(foreign, 404, 'NOT_FOUND', []);
      const unknown = await server.call(method, `/api/v1${path}/dep-unknown${below}`, { token });
      expect(expectRefusal(unknown, 404, 'NOT_FOUND', []).message).to.equal(
        message.replace(id, 'dep-unknown'),
      );
    }
    await server.ask('PlatformAdmin', 'PATCH', `/tenants/${acmeId}`, { status: 'Suspended' });
    for (const below of all)
      expectRefusal(await server.ask('TenantAdmin', 'POST', `${path}/${id}${below}`), 403, 'FORBIDDEN');
    expectRefusal(await remove(id), 403, 'FORBIDDEN');
  });
});
