/** Secrets over HTTP: values go in, and never come out anywhere (assurance: nobody gets in, 11). */
import { randomBytes, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { z } from 'zod';
import { TenantId } from '../../../src/domain/ids.ts';
import {
  createAcme,
  deployStripe,
  registerCorePayments,
  registerStripe,
} from '../../fixtures/plugin-manager.ts';
import type { Reply } from '../../support/http.ts';
import { sealedValue } from '../../support/sealed-values.ts';
import { operationsOf } from '../matrix/operations.ts';
import { acmeId, expectRefusal, openWholeServer, tenantOf, type WholeServer } from './whole-server.ts';

const path = `/tenants/${acmeId}/secrets`;
const List = z.object({
  secrets: z.array(
    z.strictObject({ name: z.string(), version: z.number(), createdAt: z.string(), updatedAt: z.string() }),
  ),
  total: z.number(),
});

describe('secrets over HTTP', () => {
  let server: WholeServer;
  beforeEach(async () => {
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    await server.ask('PlatformAdmin', 'POST', '/tenants', { tenantId: 'tenant-globex', name: 'Globex' });
  });
  afterEach(() => server.stop());

  const set = (name: string, value = 'sk_live_1'): Promise<Reply> =>
    server.ask('TenantAdmin', 'PUT', `${path}/${name}`, { value });
  const list = async (query = '') => List.parse((await server.ask('TenantAdmin', 'GET', path + query)).body);

  it('are set, listed by name, replaced and deleted', async () => {
    const created = await set('stripe-api-key');
    expect(created.status).to.equal(200);
    const at = new Date(server.clock.now()).toISOString();
    const first = { name: 'stripe-api-key', version: 1, createdAt: at, updatedAt: at };
    expect(created.body).to.deep.equal(first);
    const shown = await server.ask('TenantAdmin', 'GET', `${path}/stripe-api-key`);
    expect(shown.body).to.deep.equal(first);
    expect(shown.headers.get('etag')).to.equal(created.headers.get('etag'));
    await server.pass(60);
    await set('SMTP_PASSWORD');
    const updatedAt = new Date(server.clock.now()).toISOString();
    expect((await set('stripe-api-key', 'sk_live_2')).body).to.deep.equal({
      ...first,
      version: 3,
      updatedAt,
    });
    expect((await list()).secrets.map(({ name }) => name)).to.deep.equal(['SMTP_PASSWORD', 'stripe-api-key']);
    expect(await list('?limit=1&offset=1')).to.deep.include({ total: 2 });
    expect((await server.ask('TenantAdmin', 'DELETE', `${path}/stripe-api-key`)).status).to.equal(204);
    for (const method of ['GET', 'DELETE'])
      expectRefusal(await server.ask('TenantAdmin', method, `${path}/stripe-api-key`), 404, 'NOT_FOUND');
    expect((await list()).total).to.equal(1);
  });

  it('take any text up to 64 KiB', async () => {
    for (const value of ['x', '\u0000', '-----BEGIN\n', 'é'.repeat(32_768), 'x'.repeat(65_536), '👩‍👩‍👧', '"}{'])
      expect((await set('any', value)).status).to.equal(200);
    const { platform, ports } = server.server;
    const deps = { executor: platform.executor, vault: ports.vault };
    expect(await sealedValue(deps, TenantId.parse(acmeId), 'any')).to.equal('"}{');
  });

  it('are the own tenant’s, and of a PlatformAdmin every tenant’s', async () => {
    await set('a');
    expect((await server.ask('PlatformAdmin', 'GET', path)).body).to.include({ total: 1 });
    const globex = await server.asRole('TenantAdmin', 'tenant-globex');
    const foreign = (method: string, below: string, body?: object) =>
      server.call(method, `/api/v1${below}`, { token: globex, ...(body && { body }) });
    for (const below of [path, '/tenants/tenant-nobody/secrets']) {
      expectRefusal(await foreign('GET', below), 403, 'FORBIDDEN', []);
      expectRefusal(await foreign('PUT', `${below}/a`, { value: 'x' }), 403, 'FORBIDDEN', []);
      expectRefusal(await foreign('DELETE', `${below}/a`), 403, 'FORBIDDEN', []);
    }
    expect((await foreign('GET', '/tenants/tenant-globex/secrets')).body).to.include({ total: 0 });
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const below = `/tenants/tenant-nobody/secrets${method === 'GET' ? '' : '/a'}`;
      const body = method === 'PUT' ? { value: 'x' } : undefined;
      expectRefusal(await server.ask('PlatformAdmin', method, below, body), 404, 'NOT_FOUND');
    }
  });

  it('of a suspended tenant can be seen and not changed', async () => {
    await set('a');
    await server.ask('PlatformAdmin', 'PATCH', `/tenants/${acmeId}`, { status: 'Suspended' });
    expectRefusal(await set('a'), 403, 'FORBIDDEN');
    expectRefusal(await server.ask('TenantAdmin', 'DELETE', `${path}/a`), 403, 'FORBIDDEN');
    expect((await list()).total).to.equal(1);
  });

  it('that a deployment refers to and nobody has set yet are named in its answer', async () => {
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
    const deploy = (environment: string, configuration: object, more: object = {}) =>
      server.ask('TenantAdmin', 'POST', '/plugin-deployments', {
        ...{ pluginId: 'core-payments', pluginVersion: '1.4.0', tenantId: acmeId, environment },
        ...{ configuration, ...more },
      });
    await set('there');
    const both = { a: ['${secret:there}', '${secret:missing}'], b: 'https://${secret:gone}@host' };
    const tried = await deploy('A', both, { dryRun: true });
    const { status, body } = await deploy('A', both);
    expect(status).to.equal(202);
    const { warnings } = z
      .object({ warnings: z.array(z.object({ field: z.string(), message: z.string() })) })
      .parse(body);
    expect(warnings.map(({ field }) => field)).to.deep.equal(['configuration.a[1]', 'configuration.b']);
    expect(warnings[0]?.message).to.include('missing').and.include(`${path}/missing`);
    expect(tried.body).to.deep.include({ dryRun: true, warnings });
    expect((await deploy('B', { a: '${secret:there}' })).body).to.deep.include({ warnings: [] });
  });
});

describe('planted values of secrets', () => {
  const planted = Array.from(
    { length: 20 },
    (_, at) => `planted-${at}-${randomBytes(18).toString('base64url')}`,
  );
  const seen: string[] = [];
  let server: WholeServer;
  before(async () => {
    server = await openWholeServer({}, (line) => seen.push(line));
  });
  after(() => server.stop());

  const ask: WholeServer['ask'] = async (...asked) => {
    const reply = await server.ask(...asked);
    seen.push(JSON.stringify([reply.status, reply.body, [...reply.headers]]));
    return reply;
  };

  /** As they are, and as somebody might have stored them. */
  const spellings = planted.flatMap((value) => [
    value,
    JSON.stringify(value),
    Buffer.from(value).toString('hex'),
    Buffer.from(value).toString('base64').replace(/=+$/, ''),
    encodeURIComponent(value),
  ]);
  const found = (text: string) => spellings.filter((spelling) => text.includes(spelling));

  it('are in no event, read model, blob, file, answer or line of the log', async function () {
    this.timeout(60_000);
    await ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    await ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
    await ask('PluginDeveloper', 'POST', '/plugins', registerStripe);
    for (const [at, value] of planted.entries()) {
      const headers = { 'Idempotency-Key': randomUUID() };
      const set = await ask('TenantAdmin', 'PUT', `${path}/key-${at % 7}`, { value }, { headers });
      expect(set.status).to.equal(200);
      // Also in requests that are refused.
      await ask('TenantAdmin', 'PUT', `${path}/-bad`, { value });
      await ask('TenantAdmin', 'PUT', `${path}/key`, { value: [value] });
      await ask('TenantAdmin', 'PUT', `${path}/key`, { raw: value });
      await ask('Viewer', 'PUT', `${path}/key`, { value });
      await ask('TenantAdmin', 'PUT', `${path}/key`, undefined, { raw: `{"value":"${value}"` });
      await ask('PlatformAdmin', 'PUT', `/tenants/unknown/secrets/key`, { value });
    }
    const core = {
      ...deployStripe,
      pluginId: 'core-payments',
      pluginVersion: '1.4.0',
      strategy: 'Direct',
      strategyConfig: {},
    };
    for (const configuration of [{ a: '${secret:key-1}' }, { a: ['x${secret:key-2}', '${secret:none}'] }]) {
      const id = await server.deploy({ ...core, configuration });
      expect(await server.finished(id)).to.equal('Completed');
      await ask('TenantAdmin', 'GET', `/plugin-deployments/${id}`);
    }
    await ask('TenantAdmin', 'DELETE', `${path}/key-3`);

    const operations = operationsOf((await server.call('GET', '/api/openapi.json')).body);
    const lists = operations.filter(
      (operation) => operation.method === 'GET' && operation.path.startsWith('/api/v1'),
    );
    expect(lists.length).to.be.greaterThan(10);
    for (const { path: listed } of lists) {
      const below = listed
        .slice('/api/v1'.length)
        .replace('{tenantId}', acmeId)
        .replaceAll(/\{\w+\}/g, 'core-payments');
      for (const role of ['PlatformAdmin', 'TenantAdmin', 'Viewer'] as const) await ask(role, 'GET', below);
    }
    expect(seen.length).to.be.greaterThan(200);
    expect(
      seen.some((text) => text.includes('key-1')),
      'the names are there',
    ).to.be.true;
    expect(found(seen.join('\n'))).to.deep.equal([]);

    const { events } = await server.server.ports.eventStore.readAll({ after: null, limit: 10_000 });
    expect(events.filter(({ type }) => type === 'SecretSet')).to.have.length(20);
    expect(found(JSON.stringify(events))).to.deep.equal([]);

    let files = 0;
    for (const entry of await readdir(server.folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      files += 1;
      expect(
        found((await readFile(join(entry.parentPath, entry.name))).toString('latin1')),
        entry.name,
      ).to.deep.equal([]);
    }
    expect(files).to.be.greaterThan(4);
  });

  it('would be found if they were there', async () => {
    seen.push(`value=${planted[3] ?? ''}`);
    expect(found(seen.join('\n'))).not.to.deep.equal([]);
    seen.pop();
    const { platform, ports } = server.server;
    const deps = { executor: platform.executor, vault: ports.vault };
    const value = (name: string) => sealedValue(deps, TenantId.parse(tenantOf.TenantAdmin), name);
    expect([await value('key-0'), await value('key-3')]).to.deep.equal([planted[14], undefined]);
  });
});
