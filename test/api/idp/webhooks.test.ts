/** Webhooks over HTTP: what is shown of them, once and ever; what is sent, once more, and no longer. */
import { expect } from 'chai';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { WebhookWithSecretAnswer } from '../../../src/api/idp/webhook-schemas.ts';
import { configureWebhook } from '../../fixtures/idp.ts';
import { registerCorePayments } from '../../fixtures/plugin-manager.ts';
import type { Reply } from '../../support/http.ts';
import { openReceiver, type Receiver } from '../../support/receiver.ts';
import { expectIdpRefusal, openIdp, type IdpServer } from './face.ts';

const globex = ['TenantAdmin', 'globex'] as const;

describe('webhooks over HTTP', () => {
  let idp: IdpServer;
  let receiver: Receiver;
  let status: number;
  beforeEach(async () => {
    status = 200;
    receiver = await openReceiver((_request, response) => response.writeHead(status).end());
    idp = await openIdp();
  });
  afterEach(async () => {
    await idp.close();
    await receiver.close();
  });

  const to = (path: string, ...events: readonly string[]) => ({
    url: `${receiver.url}/${path}`,
    events: events.length > 0 ? events : ['plugin.registered'],
  });
  const register = (pluginId: string) =>
    idp.whole.ask('PlatformAdmin', 'POST', '/plugins', { ...registerCorePayments, pluginId });
  const ok = (reply: Reply): unknown => {
    expect(reply.status, JSON.stringify(reply.body)).to.equal(200);
    return reply.body;
  };
  const Payload = z.looseObject({ data: z.looseObject({ slug: z.string() }) });
  const slugs = () => receiver.received.map(({ body }) => Payload.parse(JSON.parse(body)).data.slug);
  const paths = () => receiver.received.map(({ path }) => path);

  it('take the configuration of the document as it stands there', async () => {
    const reply = await idp.ask('TenantAdmin', 'POST', '/webhooks', configureWebhook);
    expect(reply.status).to.equal(201);
    expect(reply.body).to.deep.include(configureWebhook);
    const id = WebhookWithSecretAnswer.parse(reply.body).id;
    const { secret: _, ...rest } = configureWebhook;
    expect(await idp.shown(id)).to.deep.include({
      ...rest,
      tenantId: 'tenant-acme-corp',
      deactivation: null,
    });
  });

  it('are listed page by page, the newest first, each tenant its own and the platform all', async () => {
    const made = [];
    for (const name of ['a', 'b', 'c']) {
      made.push(await idp.create('TenantAdmin', { ...to(name), name, active: name !== 'b' }));
      await idp.whole.pass(1);
    }
    const others = await idp.create(globex, to('globex'));
    await idp.whole.pass(1);
    const platform = await idp.create('PlatformAdmin', to('platform'));
    const Page = z.looseObject({ webhooks: z.array(z.looseObject({ id: z.string() })) });
    const ids = async (who: Parameters<IdpServer['ask']>[0], query = '') => {
      const body = Page.parse(ok(await idp.ask(who, 'GET', `/webhooks${query}`)));
      return { ids: body.webhooks.map(({ id }) => id), ...body, webhooks: undefined };
    };
    expect(await ids('TenantAdmin')).to.deep.include({ ids: made.toReversed(), total: 3, pages: 1 });
    expect(await ids('TenantAdmin', '?page=2&limit=2')).to.deep.include({
      ...{ ids: made.slice(0, 1), total: 3, page: 2, limit: 2, pages: 2 },
    });
    expect(await ids('TenantAdmin', '?active=false')).to.deep.include({ ids: [made[1]], total: 1 });
    expect(await ids(globex)).to.deep.include({ ids: [others], total: 1 });
    expect(await ids('PlatformAdmin')).to.deep.include({
      ids: [platform, others, ...made.toReversed()],
      total: 5,
    });
  });

  it('of another tenant do not exist, in the words for one that never was', async () => {
    const id = await idp.create('TenantAdmin', to('acme'));
    ok(await idp.ask('TenantAdmin', 'POST', `/webhooks/${id}/test`));
    await idp.whole.pass(2);
    const [delivery] = await idp.deliveries(id);
    const unknown = 'wh_00000000000000000000';
    const routes = [
      ...[
        ['GET', ''],
        ['PATCH', '', { active: false }],
        ['DELETE', ''],
        ['GET', '/deliveries'],
      ],
      ...[
        ['GET', `/deliveries/${delivery?.id}`],
        ['POST', `/deliveries/${delivery?.id}/replay`],
      ],
      ...[
        ['POST', '/replay'],
        ['POST', '/test'],
        ['POST', '/rotate-secret'],
      ],
    ] as const;
    for (const [method = '', path = '', body] of routes) {
      const told = async (of: string) => {
        const reply = await idp.ask(globex, method, `/webhooks/${of}${path}`, body);
        const { message, details } = expectIdpRefusal(reply, 404, 'NOT_FOUND');
        return JSON.stringify({ message, details }).replaceAll(of, 'ID');
      };
      if (!path.includes('evt_')) expect(await told(id), `${method} ${path}`).to.equal(await told(unknown));
      else await told(id);
    }
    expect((await idp.shown(id)).active).to.equal(true);
    ok(await idp.ask('PlatformAdmin', 'PATCH', `/webhooks/${id}`, { name: 'Seen' }));
  });

  it('show their secret once, and keep it out of the log, the read models and kept answers', async () => {
    const key = { headers: { 'Idempotency-Key': 'once' } };
    const given = 'a_secret_of_my_own';
    const made = await idp.ask('TenantAdmin', 'POST', '/webhooks', { ...to('x'), secret: given }, key);
    const { id } = WebhookWithSecretAnswer.parse(made.body);
    const rotated = await idp.ask('TenantAdmin', 'POST', `/webhooks/${id}/rotate-secret`, undefined, key);
    const { secret } = WebhookWithSecretAnswer.parse(ok(rotated));
    expect(secret).to.match(/^whsec_/);
    ok(await idp.ask('TenantAdmin', 'POST', `/webhooks/${id}/test`));
    await idp.whole.pass(2);
    const told = [await idp.shown(id), await idp.deliveries(id)];
    const { eventStore } = idp.whole.server.ports;
    const { events } = await eventStore.readAll({ after: null, limit: 1_000 });
    const models = idp.whole.server.ports.readModels;
    const kept = [];
    for (const { name } of idp.whole.server.platform.projections.flatMap(({ collections }) => collections))
      kept.push(await models.find(name, { scope: { kind: 'platform' }, limit: 1_000 }));
    const everything = JSON.stringify([told, events, kept]);
    for (const one of [given, secret]) expect(everything).not.to.include(one);
  });

  it('are signed with both secrets for a day after a rotation, then with the newer one alone', async () => {
    const older = 'a_secret_of_my_own';
    const id = await idp.create('TenantAdmin', { ...to('x'), secret: older });
    const rotated = ok(await idp.ask('TenantAdmin', 'POST', `/webhooks/${id}/rotate-secret`));
    const { secret: newer, otherSecretsUntil } = WebhookWithSecretAnswer.parse(rotated);
    expect(Date.parse(otherSecretsUntil ?? '')).to.equal(idp.whole.clock.now() + 24 * 3_600_000);
    // Sessions end after a day.
    const token = await idp.whole.asRole('PlatformAdmin');
    const made = await idp.whole.call('POST', '/api/v1/api-keys', { token, body: { name: 'tests' } });
    const headers = { 'X-API-Key': z.looseObject({ key: z.string() }).parse(made.body).key };
    const sent = async () => {
      ok(await idp.whole.call('POST', `/api/webhooks/${id}/test`, { headers }));
      await idp.whole.pass(2);
      const { body = '', headers: got = {} } = receiver.received.at(-1) ?? {};
      const at = new Date(Number(got['webhook-timestamp']) * 1_000);
      const signatures = String(got['webhook-signature']).split(' ');
      const by = (verifier: Webhook) =>
        signatures.includes(verifier.sign(String(got['webhook-id']), at, body));
      return { newer: by(new Webhook(newer)), older: by(new Webhook(older, { format: 'raw' })) };
    };
    expect(await sent()).to.deep.equal({ newer: true, older: true });
    idp.whole.clock.jump(idp.whole.clock.now() + 24 * 3_600_000);
    expect(await sent()).to.deep.equal({ newer: true, older: false });
  });

  it('are told what happens from when they are there, of the events that they asked for', async () => {
    await register('before');
    const id = await idp.create('TenantAdmin', to('acme', 'plugin.registered'));
    await idp.create(globex, to('globex', 'plugin.deleted'));
    await idp.create(globex, { ...to('silent'), active: false });
    await register('after');
    await idp.whole.pass(2);
    expect(paths()).to.deep.equal(['/acme']);
    expect(slugs()).to.deep.equal(['after']);
    const [delivery, ...none] = await idp.deliveries(id);
    expect(none).to.deep.equal([]);
    expect(delivery).to.include({
      type: 'plugin.registered',
      status: 'delivered',
      attemptCount: 1,
      nextAttemptAt: null,
    });
    expect(delivery?.attempts[0]).to.include({ outcome: 'delivered', responseStatus: 200, error: null });
  });

  it('are told nothing while they are switched off, and go on with what waited once they are on', async () => {
    const id = await idp.create('TenantAdmin', to('x'));
    status = 503;
    await register('waits');
    await idp.whole.pass(2);
    ok(await idp.ask('TenantAdmin', 'PATCH', `/webhooks/${id}`, { active: false }));
    await register('missed');
    await idp.whole.pass(60);
    expect(receiver.received).to.have.length(1);
    expect(await idp.shown(id)).to.deep.include({
      active: false,
      deactivation: { cause: 'user', reason: 'Switched off' },
    });
    status = 200;
    ok(await idp.ask('TenantAdmin', 'PATCH', `/webhooks/${id}`, { active: true }));
    await idp.whole.pass(2);
    expect(slugs()).to.deep.equal(['waits', 'waits']);
  });

  it('are tested and replayed, each time under the same id, and not while they are off', async () => {
    const id = await idp.create('TenantAdmin', to('x'));
    status = 410;
    await register('core');
    await idp.whole.pass(2);
    expect(await idp.shown(id)).to.deep.include({
      active: false,
      deactivation: { cause: 'gone', reason: 'The receiver answered 410 Gone' },
    });
    const [failed] = await idp.deliveries(id, '?status=failed');
    for (const path of ['test', 'replay', `deliveries/${failed?.id}/replay`]) {
      const reply = await idp.ask('TenantAdmin', 'POST', `/webhooks/${id}/${path}`);
      expect(expectIdpRefusal(reply, 409, 'RESOURCE_CONFLICT').message).to.match(/410 Gone.*active to true/);
    }
    status = 200;
    ok(await idp.ask('TenantAdmin', 'PATCH', `/webhooks/${id}`, { active: true }));
    const test = z
      .looseObject({ deliveryId: z.string() })
      .parse(ok(await idp.ask('TenantAdmin', 'POST', `/webhooks/${id}/test`)));
    const replay = (body: object) => idp.ask('TenantAdmin', 'POST', `/webhooks/${id}/replay`, body);
    const later = new Date(idp.whole.clock.now() + 1_000).toISOString();
    expect(ok(await replay({ since: later }))).to.deep.equal({ replayed: 0, more: false });
    expect(ok(await replay({}))).to.deep.equal({ replayed: 1, more: false });
    await idp.whole.pass(2);
    expect(ok(await replay({}))).to.deep.equal({ replayed: 0, more: false });
    ok(await idp.ask('TenantAdmin', 'POST', `/webhooks/${id}/deliveries/${failed?.id}/replay`));
    await idp.whole.pass(2);
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect(ids).to.have.members([failed?.id, failed?.id, failed?.id, test.deliveryId]);
    const found = await idp.ask('TenantAdmin', 'GET', `/webhooks/${id}/deliveries/${failed?.id}`);
    const { attempts } = z
      .looseObject({ attempts: z.array(z.looseObject({ outcome: z.string() })) })
      .parse(ok(found));
    expect(attempts.map(({ outcome }) => outcome)).to.deep.equal(['failed', 'delivered', 'delivered']);
  });

  it('are at most twenty of a tenant, also when they are made at once, and one that was deleted makes room', async () => {
    const asked = Array.from({ length: 25 }, (_, index) =>
      idp.ask('TenantAdmin', 'POST', '/webhooks', to(String(index))),
    );
    const statuses = (await Promise.all(asked)).map((reply) => reply.status);
    expect(statuses.filter((one) => one === 201)).to.have.length(20);
    expect(statuses.filter((one) => one === 409)).to.have.length(5);
    await idp.create(globex, to('globex'));
    const [first] = z
      .looseObject({ webhooks: z.array(z.looseObject({ id: z.string() })) })
      .parse((await idp.ask('TenantAdmin', 'GET', '/webhooks')).body).webhooks;
    expect(ok(await idp.ask('TenantAdmin', 'DELETE', `/webhooks/${first?.id}`))).to.include({
      success: true,
    });
    expectIdpRefusal(await idp.ask('TenantAdmin', 'GET', `/webhooks/${first?.id}`), 404, 'NOT_FOUND');
    await idp.create('TenantAdmin', to('again'));
  });

  it('that are deleted are told nothing more, and leave no secret', async () => {
    const id = await idp.create('TenantAdmin', to('x'));
    status = 500;
    await register('core');
    await idp.whole.pass(2);
    ok(await idp.ask('TenantAdmin', 'DELETE', `/webhooks/${id}`));
    await register('later');
    await idp.whole.pass(60);
    expect(receiver.received).to.have.length(1);
    expect(await idp.whole.server.ports.vault.names('webhook-secret')).to.deep.equal([]);
    const { readModels } = idp.whole.server.ports;
    for (const name of ['webhooks', 'webhook_deliveries', 'webhook_delivery_places'])
      expect(await readModels.count(name, { scope: { kind: 'platform' } }), name).to.equal(0);
  });

  it('of a suspended tenant are told what goes on, but not changed', async () => {
    const id = await idp.create('TenantAdmin', to('x'));
    await idp.whole.ask('PlatformAdmin', 'PATCH', '/tenants/tenant-acme-corp', { status: 'Suspended' });
    const writes: readonly (readonly [method: string, path: string, body?: object])[] = [
      ...([['POST', '', to('y')]] as const),
      ...([['PATCH', `/${id}`, { active: false }]] as const),
      ['DELETE', `/${id}`],
      ['POST', `/${id}/test`],
      ['POST', `/${id}/rotate-secret`],
      ['POST', `/${id}/replay`],
    ];
    for (const [method, path, body] of writes) {
      const reply = await idp.ask('TenantAdmin', method, `/webhooks${path}`, body);
      expectIdpRefusal(reply, 403, 'PERMISSION_DENIED');
    }
    await register('core');
    await idp.whole.pass(2);
    expect(paths()).to.deep.equal(['/x']);
  });
});
