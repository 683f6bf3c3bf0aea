/** What becomes of plugins over HTTP: edits, states of versions, being featured, the end (decisions 5, 6, 22, 29). */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { EditPluginBody } from '../../../src/api/plugin-manager/plugin-schemas.ts';
import { createAcme, registerCorePayments, registerStripe } from '../../fixtures/plugin-manager.ts';
import { acmeId, expectRefusal, openWholeServer, tenantOf, type WholeServer } from './whole-server.ts';

const path = '/plugins/core-payments';
const version = `${path}/versions/1.4.0`;
const deployCore = {
  ...{ pluginId: 'core-payments', pluginVersion: '1.4.0' },
  ...{ tenantId: acmeId, environment: 'Production' },
};

describe('changing plugins over HTTP', () => {
  let server: WholeServer;
  let rival = '';
  beforeEach(async () => {
    server = await openWholeServer();
    rival = await server.asRole('PluginDeveloper', 'tenant-rivals');
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
  });
  afterEach(() => server.stop());

  const ask = (method: string, at: string, body?: unknown) => server.ask('PluginDeveloper', method, at, body);
  const asRival = (method: string, at: string, body: unknown) =>
    server.call(method, `/api/v1${at}`, { token: rival, body });
  const head = () => server.server.ports.eventStore.head();

  it('says where a new plugin and a new version are', async () => {
    const stripe = await ask('POST', '/plugins', registerStripe);
    expect(stripe.headers.get('location')).to.equal('/api/v1/plugins/payment-stripe');
    const added = await ask('POST', '/plugins', {
      ...registerStripe,
      version: { ...registerStripe.version, semanticVersion: '2.1.0+build.7' },
    });
    const location = added.headers.get('location') ?? '';
    expect(location).to.equal('/api/v1/plugins/payment-stripe/versions/2.1.0%2Bbuild.7');
    const shown = await server.ask('Viewer', 'GET', location.slice('/api/v1'.length));
    expect(shown.body).to.include({ semanticVersion: '2.1.0+build.7' });
  });

  it('edits what is said of a plugin, and answers what is then shown', async () => {
    const sent = {
      ...{ name: 'Payments, the core of them', description: 'New', tags: ['core', 'core'] },
      ...{ category: null, author: { name: 'Ada', email: 'ada@acme.com' }, price: { model: 'free' } },
    };
    const edited = await ask('PATCH', path, sent);
    expect(edited.status, JSON.stringify(edited.body)).to.equal(200);
    expect(edited.body).to.deep.include({
      ...sent,
      tags: ['core'],
      price: { model: 'free', amount: 0, currency: 'USD' },
      ...{ pluginId: 'core-payments', latestVersion: '1.4.0', packageName: 'core-payments' },
    });
    expect((await server.ask('Viewer', 'GET', path)).body).to.deep.equal(edited.body);
    const found = await server.ask('Viewer', 'GET', '/plugins?search=core%20of%20them');
    expect(found.body).to.include({ total: 1 });
    const before = await head();
    const again = await ask('PATCH', path, sent);
    expect(again.body).to.deep.equal(edited.body);
    expect((await ask('PATCH', path, {})).body).to.deep.equal(edited.body);
    expect(await head()).to.equal(before);
  });

  it('keeps authors sealed in the log', async () => {
    await ask('PATCH', path, { author: { name: 'Ada', email: 'ada@acme.com' } });
    const events = await server.server.ports.eventStore.readStream('plugin-core-payments', { limit: 10 });
    expect(events.at(-1)?.type).to.equal('PluginMetadataEdited');
    expect(JSON.stringify(events)).not.to.match(/Ada|ada@acme/);
    expect((await ask('PATCH', path, { author: null })).body).to.include({ author: null });
  });

  it('refuses edits that break the rules, with each field named and nothing stored', async () => {
    await server.ask('Viewer', 'GET', path);
    const before = await head();
    for (const [body, ...fields] of [
      [{ name: null }, 'name'],
      [{ name: ' ', tags: 'a' }, 'name', 'tags'],
      [{ iconUrl: 'javascript:alert(1)' }, 'iconUrl'],
      [{ pluginId: 'other' }, 'pluginId'],
      [{ packageName: '@acme/other' }, 'packageName'],
      [{ status: 'Active', version: {}, capabilities: [] }, 'status', 'version', 'capabilities'],
      [{ author: { name: 'A', email: 'nobody' } }, 'author.email'],
      [[], 'body'],
    ] as const)
      expectRefusal(await ask('PATCH', path, body), 400, 'VALIDATION_ERROR', fields);
    for (const unknown of ['/plugins/unknown', '/plugins/No%20Slug'])
      expectRefusal(await ask('PATCH', unknown, { name: 'A' }), 404, 'NOT_FOUND');
    expectRefusal(await asRival('PATCH', path, { name: 'Mine' }), 403, 'FORBIDDEN', []);
    expectRefusal(await server.ask('Viewer', 'PATCH', path, { name: 'Mine' }), 403, 'FORBIDDEN', []);
    expect(await head()).to.equal(before);
    expect((await server.ask('PlatformAdmin', 'PATCH', path, { name: 'Ours' })).status).to.equal(200);
    expect(EditPluginBody.safeParse(EditPluginBody.meta()?.['example']).success).to.equal(true);
  });

  it('moves versions between their states, and the plugin with them', async () => {
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    const state = (to: unknown) => ask('PATCH', version, { state: to });
    for (const [to, status, latestVersion] of [
      ['Deprecated', 'Deprecated', '1.4.0'],
      ['Stable', 'Active', '1.4.0'],
      ['Beta', 'Active', '1.4.0'],
    ] as const) {
      const changed = await state(to);
      expect(changed.status, JSON.stringify(changed.body)).to.equal(200);
      expect(changed.body).to.include({ semanticVersion: '1.4.0', state: to });
      expect((await server.ask('Viewer', 'GET', version)).body).to.deep.equal(changed.body);
      expect((await server.ask('Viewer', 'GET', path)).body).to.include({ status, latestVersion });
    }
    const deployed = await server.deploy(deployCore);
    expect(await server.finished(deployed)).to.equal('Completed');
    expect((await state('Yanked')).body).to.include({ state: 'Yanked' });
    const before = await head();
    expect((await state('Yanked')).status).to.equal(200);
    expectRefusal(await state('Stable'), 409, 'CONFLICT', ['state']);
    expect(await head()).to.equal(before);
    expect((await server.ask('Viewer', 'GET', path)).body).to.include({
      status: 'Deprecated',
      latestVersion: null,
    });
    // Yanked versions are for those who run them already.
    await server.deploy(deployCore);
    const elsewhere = { ...deployCore, environment: 'Staging' };
    const refused = await server.ask('TenantAdmin', 'POST', '/plugin-deployments', elsewhere);
    expectRefusal(refused, 409, 'CONFLICT', ['pluginVersion']);
  });

  it('refuses states that are none, versions that are not there, and who does not own them', async () => {
    for (const [body, field] of [
      [{ state: 'stable' }, 'state'],
      [{}, 'state'],
      [{ state: 'Beta', colour: 'red' }, 'colour'],
    ] as const)
      expectRefusal(await ask('PATCH', version, body), 400, 'VALIDATION_ERROR', [field]);
    for (const unknown of [`${path}/versions/9.9.9`, `${path}/versions/latest`, '/plugins/no/versions/1.0.0'])
      expectRefusal(await ask('PATCH', unknown, { state: 'Beta' }), 404, 'NOT_FOUND');
    expectRefusal(await asRival('PATCH', version, { state: 'Yanked' }), 403, 'FORBIDDEN', []);
    expectRefusal(await server.ask('TenantAdmin', 'PATCH', version, { state: 'Yanked' }), 403, 'FORBIDDEN');
  });

  it('features a plugin, and no longer', async () => {
    const featured = '/marketplace/plugins/core-payments/featured';
    const shown = async () => (await server.ask('Viewer', 'GET', path)).body;
    expect(await shown()).to.include({ featured: false });
    for (const [method, is] of [
      ['PUT', true],
      ['PUT', true],
      ['DELETE', false],
      ['DELETE', false],
    ] as const) {
      const reply = await server.ask('PlatformAdmin', method, featured);
      expect([reply.status, reply.body]).to.deep.equal([204, null]);
      expect(await shown()).to.include({ featured: is });
    }
    const stored = await server.server.ports.eventStore.readStream('plugin-core-payments', { limit: 10 });
    expect(stored.slice(2).map(({ type }) => type)).to.deep.equal(['PluginFeatured', 'PluginUnfeatured']);
    expectRefusal(await ask('PUT', featured), 403, 'FORBIDDEN', []);
    const unknown = '/marketplace/plugins/unknown/featured';
    expectRefusal(await server.ask('PlatformAdmin', 'PUT', unknown), 404, 'NOT_FOUND');
  });

  it('deletes a plugin that nobody has deployed; its slug returns to its owner alone', async () => {
    const before = (await server.ask('Viewer', 'GET', path)).body;
    expectRefusal(await ask('DELETE', path), 403, 'FORBIDDEN', []);
    const gone = await server.ask('PlatformAdmin', 'DELETE', path);
    expect([gone.status, gone.body]).to.deep.equal([204, null]);
    for (const at of [path, version]) expectRefusal(await server.ask('Viewer', 'GET', at), 404, 'NOT_FOUND');
    expect((await server.ask('Viewer', 'GET', '/plugins')).body).to.include({ total: 0 });
    expect((await server.ask('Viewer', 'GET', '/plugins?search=core')).body).to.include({ total: 0 });
    for (const [method, at, body] of [
      ['DELETE', path, undefined],
      ['PATCH', path, { name: 'A' }],
      ['PATCH', version, { state: 'Beta' }],
      ['PUT', '/marketplace/plugins/core-payments/featured', undefined],
    ] as const)
      expectRefusal(await server.ask('PlatformAdmin', method, at, body), 404, 'NOT_FOUND');

    const fresh = { ...registerCorePayments, name: 'Anew' };
    expectRefusal(await asRival('POST', '/plugins', fresh), 409, 'CONFLICT', ['pluginId']);
    const byAdmin = await server.ask('PlatformAdmin', 'POST', '/plugins', fresh);
    expectRefusal(byAdmin, 409, 'CONFLICT', ['pluginId']);
    expect((await ask('POST', '/plugins', fresh)).status).to.equal(201);
    const { body: after } = await server.ask('Viewer', 'GET', path);
    expect(after).to.include({ name: 'Anew', ownerTenant: tenantOf.PluginDeveloper, installationCount: 0 });
    expect((after as { id: string }).id).not.to.equal((before as { id: string }).id);
  });

  it('deletes nothing that is deployed, until it is undeployed', async () => {
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    const id = await server.deploy(deployCore);
    const refused = expectRefusal(
      await server.ask('PlatformAdmin', 'DELETE', path),
      ...([409, 'CONFLICT', ['pluginId']] as const),
    );
    expect(refused.message).to.match(/undeploy from all tenants first/);
    expect(await server.finished(id)).to.equal('Completed');
    expectRefusal(await server.ask('PlatformAdmin', 'DELETE', path), 409, 'CONFLICT');
    expect((await server.ask('Viewer', 'GET', path)).body).to.include({ installationCount: 1 });
    expect((await server.ask('TenantAdmin', 'DELETE', `/plugin-deployments/${id}`)).status).to.equal(202);
    for (let minutes = 0; minutes < 10 && (await server.shown(id)).status !== 'Undeployed'; minutes += 1)
      await server.pass(60);
    expect((await server.ask('PlatformAdmin', 'DELETE', path)).status).to.equal(204);
    const again = await server.ask('TenantAdmin', 'POST', '/plugin-deployments', deployCore);
    expectRefusal(again, 404, 'NOT_FOUND', ['pluginId']);
    expect((await server.shown(id)).pluginId).to.equal('core-payments');
  });

  it('answers the repetition of a deletion by its key as it was answered', async () => {
    const key = { headers: { 'Idempotency-Key': randomUUID() } };
    const remove = () => server.ask('PlatformAdmin', 'DELETE', path, undefined, key);
    expect((await remove()).status).to.equal(204);
    await ask('POST', '/plugins', registerCorePayments);
    expect((await remove()).status).to.equal(204);
    expect((await server.ask('Viewer', 'GET', path)).status).to.equal(200);
  });
});
