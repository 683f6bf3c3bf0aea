/** What agents ask and tell over HTTP, word by word: what they may, what they are told, and what their lies come to. */
import { expect } from 'chai';
import { ReceivedAnswer } from '../../src/api/plugin-manager/agent-schemas.ts';
import { CreatedApiKeyAnswer } from '../../src/api/plugin-manager/user-schemas.ts';
import { healthEvents } from '../../src/domain/health.ts';
import { operationsOf } from '../api/matrix/operations.ts';
import { expectRefusal } from '../api/plugin-manager/whole-server.ts';
import {
  createAcme,
  deployStripe,
  registerCorePayments,
  registerStripe,
} from '../fixtures/plugin-manager.ts';
import type { Reply } from '../support/http.ts';
import { type AgentServer, openAgentServer } from '../support/agent-server.ts';

describe("the agents' protocol", function () {
  this.timeout(60_000);
  let server: AgentServer;
  let key: string;
  beforeEach(async () => {
    server = await openAgentServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    for (const body of [registerCorePayments, registerStripe])
      await server.ask('PluginDeveloper', 'POST', '/plugins', body);
    key = await server.agentKey();
  });
  afterEach(() => server.stop());

  const core = {
    ...{ pluginId: 'core-payments', pluginVersion: '1.4.0', tenantId: deployStripe.tenantId },
    environment: 'Production',
  };
  const call = (method: string, path: string, body?: unknown, by = key): Promise<Reply> =>
    server.call(method, `/api/v1${path}`, {
      headers: { 'X-API-Key': by },
      ...(body === undefined ? {} : { body }),
    });
  const ask = (query: string, by = key): Promise<Reply> =>
    call('GET', `/agent/assignments${query}`, undefined, by);

  type Told = Partial<Record<'outcome' | 'replaces', string>> & { readonly sequence?: number };
  const report = async (
    id: string,
    epoch: number,
    reports: Readonly<Record<string, Told>> | readonly object[],
  ) => {
    const list = Array.isArray(reports)
      ? (reports as readonly object[])
      : Object.entries(reports as Readonly<Record<string, Told>>).map(([instance, told]) => ({
          ...{ instance, sequence: 0, outcome: 'pass' },
          ...told,
        }));
    const reply = await call('POST', `/plugin-deployments/${id}/health-reports`, { epoch, reports: list });
    expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
    const { deploymentId, ...rest } = ReceivedAnswer.strict().parse(reply.body);
    expect(deploymentId).to.equal(id);
    return rest;
  };
  /** The first deployment, told to its agents. */
  const deployed = async (body: object = core) => {
    const id = await server.deploy(body);
    await server.settle();
    const found = (await server.assigned(key)).assignments.find(({ deployments }) =>
      deployments.some(({ deploymentId }) => deploymentId === id),
    );
    return { id, epoch: found?.epoch ?? expect.fail(`${id} is assigned to nobody`) };
  };
  const healthOf = async (id: string) =>
    (await server.server.ports.eventStore.readStream(`health-${id}`, { limit: 1_000 })).map(({ data }) =>
      healthEvents.InstanceHealthObserved.data.parse(data),
    );

  /** Questions that wait, once the server waits with them: each has a timer. */
  const asking = async <T>(count: number, begin: () => T): Promise<T> => {
    const { clock } = server;
    const before = clock.pending();
    const begun = begin();
    while (clock.pending() < before + count) await new Promise((turn) => setTimeout(turn));
    return begun;
  };

  describe('assignments', () => {
    it('say all that should run: the configuration as it was deployed, and what the version says of itself', async () => {
      await server.startAgent();
      const id = await server.deploy(core);
      expect(await server.finished(id)).to.equal('Completed');
      const { id: canary } = await deployed(deployStripe);
      const { assignments } = await server.assigned(key);
      expect(assignments.map(({ slot }) => slot)).to.deep.equal([
        'tenant-acme-corp.production.core-payments',
        'tenant-acme-corp.production.payment-stripe',
      ]);
      expect(assignments[1]?.deployments).to.deep.equal([
        {
          ...{ deploymentId: canary, pluginId: 'payment-stripe', version: '2.0.0', instances: 1 },
          configuration: deployStripe.configuration,
          healthCheck: { timeoutSeconds: 1, successThreshold: 1, ...deployStripe.healthCheck },
          runtime: registerStripe.version.runtime,
          ...{ binaryUrl: registerStripe.version.binaryUrl, checksum: registerStripe.version.checksum },
        },
      ]);
      expect(JSON.stringify(assignments)).to.include('${secret:stripe-api-key}');
    });

    it("are of the key's environment alone, in upper or lower case", async () => {
      await deployed();
      const other = await server.agentKey('Staging');
      expect((await server.assigned(other)).assignments).to.deep.equal([]);
      const lower = await server.agentKey('production');
      expect(await server.assigned(lower)).to.deep.equal(await server.assigned(key));
    });

    it('are answered at once after another cursor or none, and with the same cursor when nothing changed', async () => {
      await deployed();
      const first = await server.assigned(key);
      for (const query of ['', '?wait=30', '?after=another&wait=30', `?after=${first.cursor}&wait=0`])
        expect((await ask(query)).body).to.deep.equal(first);
    });

    it('wait for a change, which all who wait are told, and nobody of another environment', async () => {
      const elsewhere = await server.agentKey('Staging');
      const [{ cursor }, other] = [await server.assigned(key), await server.assigned(elsewhere)];
      let answered = 0;
      const waiting = await asking(40, () =>
        Array.from({ length: 40 }, () => ask(`?after=${cursor}&wait=30`).finally(() => (answered += 1))),
      );
      let staging = false;
      void ask(`?after=${other.cursor}&wait=30`, elsewhere).finally(() => (staging = true));
      await server.pass(10);
      expect(answered).to.equal(0);
      const { id } = await deployed();
      const bodies = (await Promise.all(waiting)).map(({ body }) => JSON.stringify(body));
      expect(new Set(bodies).size).to.equal(1);
      expect(bodies[0]).to.include(id);
      expect(staging).to.equal(false);
      await server.pass(21);
    });

    it('are answered as they are when the wait is over', async () => {
      const before = await server.assigned(key);
      let answered = false;
      const [waiting] = await asking(1, () => [
        ask(`?after=${before.cursor}&wait=5`).finally(() => (answered = true)),
      ]);
      await server.pass(4);
      expect(answered).to.equal(false);
      await server.pass(1);
      expect((await waiting).body).to.deep.equal(before);
    });

    it('are answered when the server stops, so that it can', async () => {
      const { cursor } = await server.assigned(key);
      const [waiting] = await asking(1, () => [ask(`?after=${cursor}&wait=55`)]);
      await server.server.stop();
      expect((await waiting).status).to.equal(200);
    });

    it('keep their cursor over a restart', async () => {
      await deployed();
      const before = await server.assigned(key);
      await server.restart();
      expect(await server.assigned(key)).to.deep.equal(before);
    });

    it('forget a deployment once nothing of it should run', async () => {
      await server.startAgent({ simulate: ['sick-after:20'] });
      const { id } = await deployed();
      expect(await server.finished(id)).to.equal('Failed');
      expect((await server.assigned(key)).assignments).to.deep.equal([]);
    });

    it('are not made to wait by a position that an agent sends', async () => {
      const { headers } = await server.ask('TenantAdmin', 'POST', '/plugin-deployments', core);
      const position = headers.get('x-position') ?? '';
      const reply = await server.call('GET', '/api/v1/agent/assignments', {
        headers: { 'X-API-Key': key, 'X-Position': position },
      });
      expect([reply.status, reply.headers.get('x-stale')]).to.deep.equal([200, null]);
    });
  });

  describe('reports', () => {
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

  describe('keys', () => {
    it('open the two calls of an agent, and nothing else that the server has', async () => {
      const { body } = await server.call('GET', '/api/openapi.json');
      const operations = operationsOf(body).filter(({ permission }) => permission !== null);
      const own = ['/api/v1/agent/assignments', '/api/v1/plugin-deployments/{deploymentId}/health-reports'];
      for (const { method, path } of operations) {
        const sent = method === 'GET' ? undefined : {};
        const reply = await server.call(method, path.replaceAll(/\{\w+\}/g, 'dep-1'), {
          headers: { 'X-API-Key': key },
          ...(sent && { body: sent }),
        });
        if (own.includes(path)) expect(reply.status, path).to.be.oneOf([200, 400]);
        else expect(reply.status, `${method} ${path}`).to.equal(403);
      }
    });

    it('are what it takes: neither a session nor another key does', async () => {
      const body = { epoch: 0, reports: [{ instance: 'a', sequence: 0, outcome: 'pass' }] };
      for (const role of ['PlatformAdmin', 'TenantAdmin', 'Viewer'] as const) {
        expectRefusal(await server.ask(role, 'GET', '/agent/assignments'), 403, 'FORBIDDEN', []);
        const path = '/plugin-deployments/dep-1/health-reports';
        expectRefusal(await server.ask(role, 'POST', path, body), 403, 'FORBIDDEN', []);
      }
      const reply = await server.ask('TenantAdmin', 'POST', '/api-keys', { name: 'All' });
      const { key: plain, permissions } = CreatedApiKeyAnswer.parse(reply.body);
      expect(permissions.filter((permission) => permission.startsWith('agents:'))).to.deep.equal([]);
      expectRefusal(await ask('', plain), 403, 'FORBIDDEN', []);
    });

    it('may be for one of the two alone', async () => {
      const reading = await server.agentKey('Production', ['agents:read']);
      const { id, epoch } = await deployed();
      expect((await ask('', reading)).status).to.equal(200);
      const body = { epoch, reports: [{ instance: 'a', sequence: 0, outcome: 'pass' }] };
      const reply = await call('POST', `/plugin-deployments/${id}/health-reports`, body, reading);
      expectRefusal(reply, 403, 'FORBIDDEN', []);
    });

    it('are made by who may, for the own tenant, and for nothing that is none of an agent', async () => {
      const make = (role: 'PlatformAdmin' | 'TenantAdmin' | 'Viewer', body: object) =>
        server.ask(role, 'POST', '/api-keys', { name: 'Agent', ...body });
      const scope = { environment: 'Production' };
      const permissions = ['agents:report'];
      expectRefusal(await make('Viewer', { scope, permissions }), 403, 'FORBIDDEN', ['permissions']);
      const elsewhere = { ...scope, tenantId: 'tenant-globex' };
      expectRefusal(await make('TenantAdmin', { scope: elsewhere }), 403, 'FORBIDDEN', []);
      expectRefusal(await make('PlatformAdmin', { scope: elsewhere }), 404, 'NOT_FOUND', ['scope.tenantId']);
      const more = { scope, permissions: ['agents:report', 'plugins:read'] };
      expectRefusal(await make('TenantAdmin', more), 400, 'VALIDATION_ERROR', ['permissions']);
      expectRefusal(await make('TenantAdmin', { permissions }), 400, 'VALIDATION_ERROR', ['scope']);
      for (const wrong of [
        {},
        { environment: '1st' },
        { ...scope, tenantId: 'No Tenant' },
        { ...scope, plugin: 'a' },
      ])
        expectRefusal(await make('TenantAdmin', { scope: wrong }), 400, 'VALIDATION_ERROR');
      const made = CreatedApiKeyAnswer.parse((await make('TenantAdmin', { scope })).body);
      expect(made.scope).to.deep.equal({ tenantId: 'tenant-acme-corp', environment: 'Production' });
      expect(made.permissions).to.have.members(['agents:read', 'agents:report']);
    });

    it('end with what their user was: another role, or none', async () => {
      const users = await server.ask(
        'PlatformAdmin',
        'GET',
        '/users?tenantId=tenant-acme-corp&role=TenantAdmin',
      );
      const {
        users: [user],
      } = users.body as { users: { userId: string }[] };
      await server.ask('PlatformAdmin', 'PATCH', `/users/${user?.userId}`, { role: 'Viewer' });
      expectRefusal(await ask(''), 403, 'FORBIDDEN', []);
      await server.ask('PlatformAdmin', 'PATCH', `/users/${user?.userId}`, { disabled: true });
      expectRefusal(await ask(''), 401, 'UNAUTHORIZED', []);
    });
  });
});
