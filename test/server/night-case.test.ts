/** Nobody watches, a canary falls sick, the rollout goes back by itself: whoever asked to be told is told, signed, with the reasons. */
import { createHmac } from 'node:crypto';
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { openReceiver, type Receiver } from '../support/receiver.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const secret = 'webhook_secret_key';

/** As "Webhook Verification" of the IDP's document has it. */
function verifyWebhook(payload: unknown, signature: unknown): boolean {
  const hash = createHmac('sha256', secret).update(JSON.stringify(payload)).digest('hex');
  return `sha256=${hash}` === signature;
}

const Payload = z.strictObject({
  id: z.string().startsWith('evt_'),
  type: z.string(),
  timestamp: z.iso.datetime(),
  data: z.record(z.string(), z.unknown()),
  signature: z.string(),
});

describe('a rollout that goes back by itself at night', function () {
  this.timeout(120_000);
  let receiver: Receiver;
  let server: TestServer;
  beforeEach(async () => {
    receiver = await openReceiver();
    server = await startTestServer({ settings: { SLIPWAY_EGRESS_ALLOW: '127.0.0.0/8' } });
  });
  afterEach(async () => {
    await server.stop();
    await receiver.close();
  });

  const send = async (
    path: string,
    body: object,
    role: 'PlatformAdmin' | 'TenantAdmin' = 'PlatformAdmin',
  ) => {
    const token = await server.asRole(role, role === 'TenantAdmin' ? 'acme' : 'platform');
    const reply = await server.call('POST', path, { token, body });
    expect(reply.status, JSON.stringify(reply.body)).to.be.within(200, 299);
    return z.record(z.string(), z.unknown()).parse(reply.body);
  };
  const version = (semanticVersion: string) => ({
    ...{ pluginId: 'mailer', name: 'Mailer' },
    version: { semanticVersion, state: 'Stable', runtime: { type: 'DotNet8', version: '8.0' } },
  });
  const payloads = (type: string) =>
    receiver.received.filter(({ body }) => Payload.parse(JSON.parse(body)).type === type);
  const told = (type: string) => until(type, 60_000, async () => payloads(type)[0] ?? null);

  it('tells the tenant and the platform, each once, and nobody else', async () => {
    await send('/api/v1/tenants', { tenantId: 'acme', name: 'Acme', subscriptionTier: 'Standard' });
    await send('/api/v1/tenants', { tenantId: 'globex', name: 'Globex', subscriptionTier: 'Standard' });
    await send('/api/v1/plugins', version('1.0.0'));
    await send('/api/v1/plugins', version('2.0.0'));
    const asked = { events: ['deployment.completed', 'deployment.rolled_back'], secret };
    await send('/api/webhooks', { ...asked, url: `${receiver.url}/acme` }, 'TenantAdmin');
    await send('/api/webhooks', { ...asked, url: `${receiver.url}/platform` });
    const globex = await server.asRole('TenantAdmin', 'globex');
    const other = { ...asked, url: `${receiver.url}/globex` };
    expect((await server.call('POST', '/api/webhooks', { token: globex, body: other })).status).to.equal(201);

    const slot = { pluginId: 'mailer', tenantId: 'acme', environment: 'Production' };
    const healthCheck = { intervalSeconds: 1 };
    const direct = { pluginVersion: '1.0.0', totalInstances: 4, strategyConfig: { bakeSeconds: '3' } };
    await send('/api/v1/plugin-deployments', { ...slot, ...direct, healthCheck }, 'TenantAdmin');
    await told('deployment.completed');
    const canary = {
      pluginVersion: '2.0.0',
      totalInstances: 4,
      strategy: 'Canary',
      strategyConfig: { stageInterval: '30' },
    };
    const sick = { configuration: { simulate: 'sick-after:4' } };
    const { deploymentId } = await send(
      '/api/v1/plugin-deployments',
      { ...slot, ...canary, ...sick, healthCheck },
      'TenantAdmin',
    );
    await told('deployment.rolled_back');
    await until('both were told', 60_000, async () =>
      payloads('deployment.rolled_back').length === 2 ? true : null,
    );
    await server.settle();

    const calls = payloads('deployment.rolled_back');
    expect(calls.map(({ path }) => path)).to.have.members(['/acme', '/platform']);
    for (const { method, headers, body } of calls) {
      expect(method).to.equal('POST');
      const { signature, ...payload } = Payload.parse(JSON.parse(body));
      expect(verifyWebhook(payload, signature)).to.equal(true);
      const standard = { 'webhook-id': '', 'webhook-timestamp': '', 'webhook-signature': '' };
      for (const name of Object.keys(standard)) expect(headers[name]).to.be.a('string');
      new Webhook(secret, { format: 'raw' }).verify(body, headers as typeof standard);
      expect(headers['webhook-id']).to.equal(payload.id);
      expect(payload.data).to.include({
        deploymentId,
        service: 'mailer',
        version: '2.0.0',
        tenantId: 'acme',
      });
      expect(payload.data).to.include({ status: 'rolled_back', cause: 'automatic' });
      expect(payload.data['reason']).to.match(/fail/i);
      expect(payload.data['evidence']).to.be.an('array').with.length.above(0);
    }
    expect(receiver.received.map(({ path }) => path)).not.to.include('/globex');
  });
});
