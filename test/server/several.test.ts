/** Several processes are one platform to whoever asks, whichever of them he asks. */
import { expect } from 'chai';
import { AssignmentsAnswer } from '../../src/api/plugin-manager/agent-schemas.ts';
import { LoggedInAnswer } from '../../src/api/plugin-manager/authentication.ts';
import { CreatedApiKeyAnswer } from '../../src/api/plugin-manager/user-schemas.ts';
import { openSocket } from '../api/socket/client.ts';
import type { Reply } from '../support/http.ts';
import { openReceiver } from '../support/receiver.ts';
import { adminEmail, adminPassword } from '../support/server.ts';
import { openSharedPlatform, type SharedPlatform, type SharedProcess } from '../support/shared-platform.ts';
import { until } from '../support/until.ts';

const tenantOf = (tenantId: string) => ({ tenantId, name: tenantId, subscriptionTier: 'Standard' });
const pluginOf = (pluginId: string) => ({
  ...{ pluginId, name: pluginId },
  version: { semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'DotNet8', version: '8.0' } },
});

describe('several processes', function () {
  this.timeout(120_000);
  let platform: SharedPlatform;
  let one: SharedProcess;
  let other: SharedProcess;
  let workers: readonly SharedProcess[];
  let token: string;

  const settings = { SLIPWAY_EGRESS_ALLOW: '127.0.0.0/8', SLIPWAY_RUNTIME: 'agent' };

  before(async () => {
    platform = await openSharedPlatform();
    [one, other] = await Promise.all([
      platform.start(['api'], { settings }),
      platform.start(['api'], { settings }),
    ]);
    const work = () => platform.start(['projector', 'processes'], { settings });
    workers = [await work(), await work()];
    await Promise.all([one, other, ...workers].map(({ server }) => server.ready));
    token = await logIn();
  });
  after(() => platform.close());

  async function logIn(at = one): Promise<string> {
    const body = { username: adminEmail, password: adminPassword };
    const reply = await at.call('POST', '/api/v1/authentication/login', { body });
    return LoggedInAnswer.parse(reply.body).token;
  }
  const ask = (
    at: SharedProcess,
    method: string,
    path: string,
    body?: object,
    headers = {},
  ): Promise<Reply> => at.call(method, `/api/v1${path}`, { token, headers, ...(body && { body }) });
  const made = async (reply: Promise<Reply>): Promise<Reply> => {
    const { status, body } = await reply;
    expect(status, JSON.stringify(body)).to.be.within(200, 299);
    return reply;
  };

  it('show what one was told at once when the other is asked', async () => {
    for (let index = 1; index <= 10; index += 1) {
      const id = `shown-${index}`;
      const { headers } = await made(ask(one, 'POST', '/tenants', tenantOf(id)));
      const position = headers.get('X-Position') ?? '';
      const shown = await ask(other, 'GET', `/tenants/${id}`, undefined, { 'X-Position': position });
      expect(shown.status).to.equal(200);
      const list = await ask(one, 'GET', '/tenants?limit=100', undefined, { 'X-Position': position });
      expect(JSON.stringify(list.body)).to.include(id);
    }
  });

  it('wait without being asked to for what another was told, and say so when that is not enough', async () => {
    for (let index = 1; index <= 10; index += 1) {
      const id = `unasked-${index}`;
      await made(ask(one, 'POST', '/plugins', pluginOf(id)));
      const { status, headers } = await ask(other, 'GET', `/plugins/${id}`);
      // On a busy machine some need more than the 200 ms; none is wrong without a word.
      if (headers.get('X-Stale') !== 'true') expect(status).to.equal(200);
    }
  });

  it('have one effect and one answer for an Idempotency-Key, whichever of them are sent it at once', async () => {
    for (let round = 1; round <= 3; round += 1) {
      const headers = { 'Idempotency-Key': `several-${round}` };
      const replies = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          ask(index % 2 ? one : other, 'POST', '/tenants', tenantOf(`keyed-${round}`), headers),
        ),
      );
      const [first] = replies;
      for (const reply of replies) {
        expect(reply.status, JSON.stringify(reply.body)).to.equal(201);
        expect(reply.body).to.deep.equal(first?.body);
      }
      expect(replies.filter((reply) => reply.headers.get('Idempotency-Replayed') !== 'true')).to.have.length(
        1,
      );
    }
    const list = await ask(other, 'GET', '/tenants?limit=100');
    expect(JSON.stringify(list.body).match(/"tenantId":"keyed-/g)).to.have.length(3);
  });

  it('tell their sockets what happens at any of them', async () => {
    const sockets = [await openSocket(one.url), await openSocket(other.url)];
    for (const socket of sockets) {
      await socket.authenticate(token);
      await socket.subscribe(['plugins']);
    }
    await made(ask(one, 'POST', '/plugins', pluginOf('told-one')));
    await made(ask(other, 'POST', '/plugins', pluginOf('told-other')));
    for (const socket of sockets) {
      for (const id of ['told-one', 'told-other'])
        await until(
          `a frame about ${id}`,
          10_000,
          async () => socket.frames.some((frame) => JSON.stringify(frame).includes(id)) || null,
        );
      await socket.close();
    }
  });

  it('know at once who has logged out elsewhere, and let his sockets go', async () => {
    const leaving = await logIn();
    const read = (at: SharedProcess) => at.call('GET', '/api/v1/plugins', { token: leaving });
    const socket = await openSocket(other.url);
    await socket.authenticate(leaving);
    expect((await read(one)).status).to.equal(200);
    expect((await read(other)).status).to.equal(200);
    await made(one.call('POST', '/api/v1/authentication/logout', { token: leaving }));
    expect((await read(other)).status).to.equal(401);
    expect((await read(one)).status).to.equal(401);
    expect(await socket.closed).to.include({ code: 4401 });
  });

  it('count wrong passwords together', async () => {
    const wrong = (at: SharedProcess) =>
      at.call('POST', '/api/v1/authentication/login', {
        body: { username: 'somebody@example.com', password: 'Wrong123!' },
      });
    const statuses: number[] = [];
    for (let tried = 0; tried < 8; tried += 1) statuses.push((await wrong(tried % 2 ? one : other)).status);
    expect(statuses).to.deep.equal([401, 401, 401, 401, 401, 429, 429, 429]);
  });

  it('answer agents that wait at one of them when the other is told to deploy', async () => {
    await made(ask(one, 'POST', '/tenants', tenantOf('agents')));
    await made(ask(one, 'POST', '/plugins', pluginOf('agents-plugin')));
    const manager = { email: 'tenant@agents.example.com', password: adminPassword, role: 'TenantAdmin' };
    await made(ask(one, 'POST', '/users', { ...manager, tenantId: 'agents' }));
    const login = await one.call('POST', '/api/v1/authentication/login', {
      body: { username: manager.email, password: manager.password },
    });
    const { token: theirs } = LoggedInAnswer.parse(login.body);
    const created = await one.call('POST', '/api/v1/api-keys', {
      ...{ token: theirs, body: { name: 'Agent', scope: { environment: 'Production' } } },
    });
    const { key } = CreatedApiKeyAnswer.parse(created.body);
    const assignments = async (query = '') => {
      const reply = await other.call('GET', `/api/v1/agent/assignments${query}`, {
        headers: { 'X-API-Key': key },
      });
      expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
      return AssignmentsAnswer.parse(reply.body);
    };
    const { cursor } = await assignments();
    const waiting = assignments(`?after=${cursor}&wait=30`);
    const asked = performance.now();
    const deployment = { pluginId: 'agents-plugin', pluginVersion: '1.0.0', tenantId: 'agents' };
    await made(ask(one, 'POST', '/plugin-deployments', { ...deployment, environment: 'Production' }));
    const told = await waiting;
    expect(told.assignments).to.have.length(1);
    expect(performance.now() - asked).to.be.below(15_000);
  });

  it('send each webhook once, though every process could', async () => {
    const receiver = await openReceiver();
    try {
      const hook = { url: receiver.url, events: ['plugin.registered'], name: 'Once' };
      const created = await one.call('POST', '/api/webhooks', { token, body: hook });
      expect(created.status, JSON.stringify(created.body)).to.equal(201);
      for (let index = 1; index <= 5; index += 1)
        await made(ask(index % 2 ? one : other, 'POST', '/plugins', pluginOf(`hooked-${index}`)));
      await until('five deliveries', 30_000, async () => receiver.received.length >= 5 || null);
      // Another sender would have asked by now: both ask once a second.
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      const ids = receiver.received.map(({ headers }) => String(headers['webhook-id']));
      expect(new Set(ids).size).to.equal(5);
      expect(ids).to.have.length(5);
    } finally {
      await receiver.close();
    }
  });

  it('answer nothing but how they are where they have no API', async () => {
    for (const worker of workers) {
      expect((await worker.call('GET', '/health')).status).to.equal(200);
      expect((await worker.call('GET', '/ready')).status).to.equal(200);
      for (const path of ['/api/v1/plugins', '/docs', '/api/openapi.json', '/ws'])
        expect((await worker.call('GET', path)).status, path).to.equal(404);
    }
  });

  it('refuse to prove what another has sealed', async () => {
    expect((await ask(one, 'POST', '/audit/seal')).status).to.equal(503);
  });

  it('go on when the worker that leads is stopped', async () => {
    const [first, second] = workers;
    await first?.server.stop();
    const { headers } = await made(ask(one, 'POST', '/plugins', pluginOf('after-the-first')));
    const position = headers.get('X-Position') ?? '';
    await until('the other has taken over', 15_000, async () => {
      const reply = await ask(other, 'GET', '/plugins/after-the-first', undefined, {
        'X-Position': position,
      });
      return reply.status === 200 || null;
    });
    expect(second?.server.platform.isShared).to.equal(true);
  });
});
