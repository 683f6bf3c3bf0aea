/** What agents tell of their instances, and what their lies come to. */
import { expect } from 'chai';
import { CreatedApiKeyAnswer } from '../../src/api/plugin-manager/user-schemas.ts';
import { expectRefusal } from '../api/plugin-manager/whole-server.ts';
import { createAcme, registerCorePayments } from '../fixtures/plugin-manager.ts';
import { core, openProtocol, type Protocol } from './protocol.ts';

describe("reports in the agents' protocol", function () {
  this.timeout(60_000);
  let server: Protocol['server'];
  let call: Protocol['call'];
  let ask: Protocol['ask'];
  let report: Protocol['report'];
  let deployed: Protocol['deployed'];
  let healthOf: Protocol['healthOf'];
  beforeEach(async () => {
    ({ server, call, ask, report, deployed, healthOf } = await openProtocol());
  });
  afterEach(() => server.stop());

  it('count once, however often and in whatever order they come', async () => {
    const { id, epoch } = await deployed();
    const none = { accepted: 0, duplicates: 0, stale: 0, refused: [], nextSequences: {} };
    const counts = { assigned: true, epoch, ...none };
    expect(await report(id, epoch, { a: { sequence: 2 } })).to.deep.equal({ ...counts, accepted: 1 });
    expect(await report(id, epoch, { a: { sequence: 1 } })).to.deep.equal({
      ...{ ...counts, accepted: 1 },
      nextSequences: { a: 3 },
    });
    expect(await report(id, epoch, { a: { sequence: 2 } })).to.deep.equal({ ...counts, duplicates: 1 });
    const twice = { instance: 'a', sequence: 3, outcome: 'fail' };
    expect(await report(id, epoch, [twice, twice])).to.deep.equal({
      ...counts,
      accepted: 1,
      duplicates: 1,
    });
    const observed = (await healthOf(id)).flatMap(({ reports }) => reports.map(({ sequence }) => sequence));
    expect(observed).to.deep.equal([2, 1, 3]);
  });

  it('of an old epoch, or of one that never was, change nothing: the answer names the present one', async () => {
    const { id, epoch } = await deployed();
    for (const other of [0, epoch - 1, epoch + 1, Number.MAX_SAFE_INTEGER])
      expect(await report(id, other, { a: {}, b: {} })).to.deep.include({ epoch, accepted: 0, stale: 2 });
    expect(await healthOf(id)).to.deep.equal([]);
  });

  it('whose sequence comes from the future are refused with the number to go on with', async () => {
    const { id, epoch } = await deployed();
    await report(id, epoch, { a: { sequence: 5 } });
    const { accepted, refused, nextSequences } = await report(id, epoch, {
      a: { sequence: Number.MAX_SAFE_INTEGER },
      b: { sequence: 9_000 },
    });
    expect(accepted, 'of b, whose first this is').to.equal(1);
    expect(refused).to.have.length(1);
    expect(refused[0]).to.include({ instance: 'a', sequence: Number.MAX_SAFE_INTEGER });
    expect(nextSequences).to.deep.equal({ a: 6 });
    expect(refused[0]?.reason).to.match(/stands at 5/);
  });

  it('cannot hide failures behind a pass from the future', async () => {
    const { id, epoch } = await deployed();
    await report(id, epoch, { a: {} });
    await server.settle();
    await report(id, epoch, { a: { sequence: 1_000_000, outcome: 'pass' } });
    const fails = [1, 2, 3].map((sequence) => ({ instance: 'a', sequence, outcome: 'fail' }));
    await report(id, epoch, fails);
    await server.settle();
    expect((await server.shown(id)).status).to.equal('Failed');
  });

  it('of an instance that another deployment of the slot has are refused', async () => {
    await server.startAgent();
    const old = await server.deploy(core);
    expect(await server.finished(old)).to.equal('Completed');
    const version = { ...registerCorePayments.version, semanticVersion: '1.5.0' };
    await server.ask('PluginDeveloper', 'POST', '/plugins', { ...registerCorePayments, version });
    const { id, epoch } = await deployed({ ...core, pluginVersion: '1.5.0' });
    const own = (await healthOf(old)).at(-1)?.reports[0]?.instance ?? '';
    const { accepted, refused, nextSequences } = await report(id, epoch, [
      { instance: own, sequence: 0, outcome: 'pass' },
    ]);
    expect(accepted).to.equal(0);
    expect(refused[0]).to.include({ instance: own });
    expect(nextSequences).to.deep.equal({});
  });

  it('that begin anew, as after a restart of the agent, are told where to go on', async () => {
    const { id, epoch } = await deployed();
    for (let sequence = 0; sequence < 60; sequence += 1) await report(id, epoch, { a: { sequence } });
    for (const sequence of [0, 20])
      expect(await report(id, epoch, { a: { sequence }, b: {} })).to.deep.include({
        nextSequences: { a: 60 },
      });
  });

  it('of a deployment that should not run are told so', async () => {
    await server.startAgent({ simulate: ['sick-after:20'] });
    const { id, epoch } = await deployed();
    await server.finished(id);
    expect(await report(id, epoch, { a: {} })).to.deep.include({ assigned: false, accepted: 0, stale: 1 });
  });

  it('are of the own environment and tenant: all else does not exist, in the same words', async () => {
    const { id, epoch } = await deployed();
    const staging = await server.agentKey('Staging');
    const path = (of: string): string => `/plugin-deployments/${of}/health-reports`;
    const body = { epoch, reports: [{ instance: 'a', sequence: 0, outcome: 'pass' }] };
    const made = await server.ask('PlatformAdmin', 'POST', '/tenants', {
      ...createAcme,
      ...{ tenantId: 'tenant-globex', namespace: 'globex' },
    });
    expect(made.status).to.equal(201);
    const scope = { tenantId: 'tenant-globex', environment: 'Production' };
    const reply = await server.ask('PlatformAdmin', 'POST', '/api-keys', { name: 'Globex', scope });
    const globex = CreatedApiKeyAnswer.parse(reply.body).key;
    for (const other of [staging, globex]) {
      const told = [
        await call('POST', path(id), body, other),
        await call('POST', path('dep-unknown'), body, other),
        await call('POST', path('nonsense'), body, other),
      ].map((one) => expectRefusal(one, 404, 'NOT_FOUND', []).message.replace(/\S+$/, 'ID'));
      expect(new Set(told).size).to.equal(1);
      expect((await server.assigned(other)).assignments).to.deep.equal([]);
    }
    expect(await healthOf(id)).to.deep.equal([]);
  });

  it('are kept to bounds', async () => {
    const { id, epoch } = await deployed();
    const one = { instance: 'a', sequence: 0, outcome: 'pass' };
    const wrong: readonly (readonly [field: string, body: object])[] = [
      ['epoch', { reports: [one] }],
      ['epoch', { epoch: -1, reports: [one] }],
      ['epoch', { epoch: '1', reports: [one] }],
      ['reports', { epoch }],
      ['reports', { epoch, reports: [] }],
      ['reports', { epoch, reports: Array.from({ length: 501 }, (_, sequence) => ({ ...one, sequence })) }],
      ...[undefined, '', 7, 'a b', '-a', '__proto__', 'constructor', 'x'.repeat(101)].map(
        (instance) => ['reports[0].instance', { epoch, reports: [{ ...one, instance }] }] as const,
      ),
      ...[undefined, -1, 1.5, '1'].map(
        (sequence) => ['reports[0].sequence', { epoch, reports: [{ ...one, sequence }] }] as const,
      ),
      ['reports[0].outcome', { epoch, reports: [{ ...one, outcome: 'well' }] }],
      ['reports[0].latencyMs', { epoch, reports: [{ ...one, latencyMs: -1 }] }],
      ['reports[0].replaces', { epoch, reports: [{ ...one, replaces: 'a' }] }],
      ['reports[0].metrics.requests', { epoch, reports: [{ ...one, metrics: { requests: '7' } }] }],
      ['reports[0].metrics.a b', { epoch, reports: [{ ...one, metrics: { 'a b': 7 } }] }],
      [
        'reports[0].metrics',
        {
          epoch,
          reports: [
            { ...one, metrics: Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`m${at}`, 1])) },
          ],
        },
      ],
      ['reports[0].deploymentId', { epoch, reports: [{ ...one, deploymentId: id }] }],
      ['tenantId', { epoch, reports: [one], tenantId: 'tenant-globex' }],
    ];
    for (const [field, body] of wrong) {
      const reply = await call('POST', `/plugin-deployments/${id}/health-reports`, body);
      expectRefusal(reply, 400, 'VALIDATION_ERROR', [field]);
    }
    for (const query of ['?wait=56', '?wait=-1', '?wait=x', '?after=', '?after=a%20b', '?since=1'])
      expectRefusal(await ask(query), 400, 'VALIDATION_ERROR');
    expect(await healthOf(id)).to.deep.equal([]);
  });
});
