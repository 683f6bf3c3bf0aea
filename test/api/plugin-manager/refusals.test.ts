/** Who is refused, and in which order (decisions 7, 8, 14), for every route that the server describes. */
import { createSecretKey, randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { decodeJwt, SignJWT, UnsecuredJWT } from 'jose';
import { LoggedInAnswer } from '../../../src/api/plugin-manager/authentication.ts';
import { type Operation, operationsOf } from '../matrix/operations.ts';
import { Role } from '../../../src/domain/permissions.ts';
import {
  createAcme,
  deployStripe,
  registerCorePayments,
  registerStripe,
} from '../../fixtures/plugin-manager.ts';
import type { Call } from '../../support/http.ts';
import { adminEmail, adminPassword } from '../../support/server.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';

const jwtSecret = 'a secret of the test, of at least 32 bytes';
const everybody = Role.options;
const parameters: Readonly<Record<string, string>> = {
  '{pluginId}': 'payment-stripe',
  '{version}': '2.0.0',
  '{deploymentId}': 'dep-unknown',
  '{tenantId}': acmeId,
  '{capabilityId}': 'IPaymentProcessor',
  '{userId}': 'usr_unknown',
  '{keyId}': 'key_unknown',
  '{name}': 'unknown',
  '{id}': 'dep-unknown',
  '{stream}': 'deployment-dep-unknown',
  '{collection}': 'deployments',
  '{documentId}': 'dep-unknown',
  '{event}': 'plugin-unknown@0',
};

describe('refusals over HTTP', () => {
  let server: WholeServer;
  let operations: readonly Operation[];
  before(async () => {
    server = await openWholeServer({ JWT_SECRET: jwtSecret });
    operations = operationsOf((await server.call('GET', '/api/openapi.json')).body);
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerStripe);
    for (const role of everybody) await server.ask(role, 'GET', '/plugins');
  });
  after(() => server.stop());

  const send = ({ method, path }: Pick<Operation, 'method' | 'path'>, call: Call = {}) =>
    server.call(
      method,
      path.replaceAll(/\{\w+\}/g, (name) => parameters[name] ?? name),
      call,
    );
  const closed = () => operations.filter(({ permission }) => permission !== null);

  /** Other faces spell their errors otherwise. */
  const isOfThisFace = ({ path }: Pick<Operation, 'path'>): boolean =>
    path !== '/ws' && (!path.startsWith('/api/') || path.startsWith('/api/v1/'));

  async function storingNothing(act: () => Promise<void>): Promise<void> {
    const { eventStore } = server.server.ports;
    await server.settle();
    const head = await eventStore.head();
    await act();
    expect(await eventStore.head()).to.equal(head);
  }

  it('answers 401 to everybody whose token does not hold, on every route', () =>
    storingNothing(async () => {
      const answer = LoggedInAnswer.parse((await server.login(adminEmail, adminPassword)).body);
      const { token } = answer;
      const claims = decodeJwt(token);
      const [header, payload, signature] = token.split('.');
      const key = createSecretKey(Buffer.from(jwtSecret));
      const sign = (more: object, secret = key, typ = 'at+jwt'): Promise<string> =>
        new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: 'HS256', typ }).sign(secret);
      const asAdmin = Buffer.from(JSON.stringify({ ...claims, tenant: acmeId })).toString('base64url');
      const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
      const refused: Readonly<Record<string, string | null>> = {
        missing: null,
        empty: 'Bearer ',
        'another scheme': `Basic ${Buffer.from('admin@example.com:Admin123!').toString('base64')}`,
        'no scheme': token,
        garbage: 'Bearer garbage',
        'three garbage parts': 'Bearer a.b.c',
        'two tokens': `Bearer ${token}, Bearer ${token}`,
        'without its signature': `Bearer ${header}.${payload}.`,
        'another payload': `Bearer ${header}.${asAdmin}.${signature}`,
        'alg none': `Bearer ${new UnsecuredJWT(claims).encode()}`,
        'alg none with a signature': `Bearer ${none}.${payload}.${signature}`,
        'another secret': `Bearer ${await sign({}, createSecretKey(Buffer.alloc(32, 7)))}`,
        'another type': `Bearer ${await sign({}, key, 'JWT')}`,
        'another use': `Bearer ${await sign({ use: 'refresh' })}`,
        'another audience': `Bearer ${await sign({ aud: 'other' })}`,
        expired: `Bearer ${await sign({ exp: Math.floor(server.clock.now() / 1000) - 1 })}`,
        'of tomorrow': `Bearer ${await sign({ nbf: Math.floor(server.clock.now() / 1000) + 3_600 })}`,
        'of a session that never was': `Bearer ${await sign({ sid: `ses_${'0'.repeat(32)}` })}`,
        'without an end': `Bearer ${await sign({ exp: undefined })}`,
      };
      expect((await server.call('GET', '/api/v1/tenants', { token })).status).to.equal(200);
      expect((await server.call('GET', '/api/v1/tenants', { token: await sign({}) })).status).to.equal(200);
      for (const operation of closed())
        for (const [what, authorization] of Object.entries(refused)) {
          const headers = authorization === null ? {} : { Authorization: authorization };
          const reply = await send(operation, {
            headers,
            ...(operation.method === 'GET' ? {} : { raw: '{' }),
          });
          expect(reply.status, what).to.equal(401);
          if (isOfThisFace(operation)) {
            const { message } = expectRefusal(reply, 401, 'UNAUTHORIZED', []);
            expect(message).not.to.match(/signature|expired|claim|session has/i);
          }
          expect(reply.headers.get('www-authenticate')).to.equal('Bearer');
        }
    })).timeout(60_000);

  it('refuses wrong passwords and unknown users in the same words', async () => {
    const told = async (username: string, password: string) => {
      const { message, details } = expectRefusal(await server.login(username, password), 401, 'UNAUTHORIZED');
      return { message, details };
    };
    const wrong = await told(adminEmail, 'Admin123?');
    for (const username of ['nobody@example.com', 'nobody', '*', ' '])
      expect(await told(username, adminPassword)).to.deep.equal(wrong);
  });

  it('answers 405 with what a path allows, to every other method', async () => {
    const token = await server.asRole('PlatformAdmin');
    for (const path of new Set(operations.map((operation) => operation.path))) {
      const methods = operations.filter((other) => other.path === path).map(({ method }) => method);
      const allowed = [...methods, 'OPTIONS', ...(methods.includes('GET') ? ['HEAD'] : [])];
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND']) {
        if (allowed.includes(method)) continue;
        const reply = await send({ method, path }, { token });
        expect(reply.status, `${method} ${path}`).to.equal(405);
        if (isOfThisFace({ path })) expectRefusal(reply, 405, 'METHOD_NOT_ALLOWED', []);
        expect(reply.headers.get('allow')?.split(', ')).to.have.members(allowed);
      }
    }
  });

  it('refuses a deployment in the order of the document: each problem once those before it are mended', async () => {
    const path = '/plugin-deployments';
    const wrong = {
      ...deployStripe,
      ...{
        pluginVersion: '9.9.9',
        strategyConfig: { stages: '10,30' },
        configuration: { simulate: 'haunted' },
      },
    };
    await storingNothing(async () => {
      expectRefusal(await server.call('POST', `/api/v1${path}`, { body: wrong }), 401, 'UNAUTHORIZED');
      expectRefusal(await server.ask('Viewer', 'POST', path, wrong), 403, 'FORBIDDEN');
      const ask = (body: object) => server.ask('TenantAdmin', 'POST', path, body);
      expectRefusal(await ask(wrong), 400, 'VALIDATION_ERROR', ['strategyConfig.stages']);
      const planned = { ...wrong, strategyConfig: {} };
      expectRefusal(await ask(planned), 404, 'NOT_FOUND', ['pluginVersion']);
      expectRefusal(await ask({ ...planned, pluginId: 'unknown' }), 404, 'NOT_FOUND', ['pluginId']);
      const known = { ...planned, pluginVersion: '2.0.0' };
      expectRefusal(await ask(known), 400, 'VALIDATION_ERROR', ['configuration.simulate']);
      expectRefusal(await ask({ ...known, configuration: {} }), 400, 'DEPENDENCY_CONFLICT', ['pluginId']);
    });
    const core = { ...deployStripe, pluginId: 'core-payments', pluginVersion: '1.4.0' };
    await server.deploy(core);
    const haunted = { ...core, configuration: { simulate: 'haunted' } };
    await storingNothing(async () => {
      expectRefusal(await server.ask('TenantAdmin', 'POST', path, haunted), 400, 'VALIDATION_ERROR');
      expectRefusal(await server.ask('TenantAdmin', 'POST', path, core), 409, 'CONFLICT');
      expectRefusal(
        await server.ask('PlatformAdmin', 'POST', path, { ...core, tenantId: 'gone' }),
        404,
        'NOT_FOUND',
        ['tenantId'],
      );
    });
  });

  it('refuses a registration for its owner, then its dependencies, then a version that is known', async () => {
    const token = await server.asRole('PluginDeveloper', 'tenant-rivals');
    await storingNothing(async () => {
      const dependencies = [{ dependencyId: 'payment-stripe' }];
      const body = { ...registerStripe, version: { ...registerStripe.version, dependencies } };
      expectRefusal(await server.call('POST', '/api/v1/plugins', { token, body }), 403, 'FORBIDDEN');
      expectRefusal(
        await server.ask('PluginDeveloper', 'POST', '/plugins', body),
        400,
        'DEPENDENCY_CONFLICT',
      );
      expectRefusal(await server.ask('PluginDeveloper', 'POST', '/plugins', registerStripe), 409, 'CONFLICT');
    });
  });

  it('refuses tenants and namespaces that are taken', () =>
    storingNothing(async () => {
      const create = (body: object) => server.ask('PlatformAdmin', 'POST', '/tenants', body);
      expectRefusal(await create(createAcme), 409, 'CONFLICT', ['tenantId']);
      const other = { ...createAcme, tenantId: 'tenant-other' };
      expectRefusal(await create(other), 409, 'CONFLICT', ['namespace']);
      expectRefusal(await create({ tenantId: 'platform', name: 'Platform' }), 409, 'CONFLICT', ['tenantId']);
      expectRefusal(await create({ ...other, namespace: 'platform' }), 409, 'CONFLICT', ['namespace']);
      expectRefusal(await server.ask('PlatformAdmin', 'GET', '/tenants/tenant-other'), 404, 'NOT_FOUND');
    }));

  it('refuses an Idempotency-Key with another body, and keeps none for a request that was malformed', async () => {
    const key = { headers: { 'Idempotency-Key': randomUUID() } };
    const body = { ...registerCorePayments, pluginId: 'once' };
    const ask = (sent: object) => server.ask('PluginDeveloper', 'POST', '/plugins', sent, key);
    await storingNothing(async () => {
      expectRefusal(await ask({ ...body, name: '' }), 400, 'VALIDATION_ERROR', ['name']);
    });
    const first = await ask(body);
    expect(first.status).to.equal(201);
    await storingNothing(async () => {
      expectRefusal(await ask({ ...body, name: 'Twice' }), 422, 'IDEMPOTENCY_KEY_REUSED');
      const again = await ask(body);
      expect([again.status, again.headers.get('idempotency-replayed')]).to.deep.equal([201, 'true']);
      expect(again.body).to.deep.equal(first.body);
    });
  });

  it('leaves the slot free when a deployment with an Idempotency-Key was refused', async () => {
    const key = { headers: { 'Idempotency-Key': randomUUID() } };
    const body = { ...deployStripe, environment: 'Staging' };
    const path = '/plugin-deployments';
    const ask = () => server.ask('TenantAdmin', 'POST', path, body, key);
    expectRefusal(await ask(), 400, 'DEPENDENCY_CONFLICT');
    const listed = await server.ask('TenantAdmin', 'GET', `${path}?environment=Staging`);
    expect(listed.body).to.include({ total: 0 });
    const core = await server.deploy({ ...body, pluginId: 'core-payments', pluginVersion: '1.4.0' });
    expect(await server.finished(core)).to.equal('Completed');
    expect((await ask()).status).to.equal(202);
  });

  it('refuses a token once its day is over', async () => {
    const { token } = LoggedInAnswer.parse((await server.login(adminEmail, adminPassword)).body);
    server.clock.jump(server.clock.now() + 24 * 3_600_000 - 1_000);
    expect((await server.call('GET', '/api/v1/plugins', { token })).status).to.equal(200);
    server.clock.jump(server.clock.now() + 1_000);
    expectRefusal(await server.call('GET', '/api/v1/plugins', { token }), 401, 'UNAUTHORIZED');
  });
});
