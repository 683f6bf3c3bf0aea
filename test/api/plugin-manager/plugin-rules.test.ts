/** Whose plugins are whose, what the same call twice means, and what versions may need (decisions 5, 6, 19, 20, 22). */
import { expect } from 'chai';
import { registerCorePayments, registerStripe } from '../../fixtures/plugin-manager.ts';
import type { Reply } from '../../support/http.ts';
import { acmeId, expectRefusal, openWholeServer, tenantOf, type WholeServer } from './whole-server.ts';

describe('registering over HTTP', () => {
  let server: WholeServer;
  let rival = '';
  before(async () => {
    server = await openWholeServer();
    rival = await server.asRole('PluginDeveloper', 'tenant-rivals');
    await register(registerStripe);
  });
  after(() => server.stop());

  const register = (body: object): Promise<Reply> => server.ask('PluginDeveloper', 'POST', '/plugins', body);
  const version = (semanticVersion: string, more: object = {}) => ({
    ...{ semanticVersion, state: 'Stable', runtime: { type: 'DotNet8' } },
    ...more,
  });
  const plugin = (pluginId: string, more: object = {}, semanticVersion = '1.0.0') => ({
    ...{ pluginId, name: pluginId },
    version: version(semanticVersion, more),
  });
  const needing = (pluginId: string, dependencyId: string, versionConstraint = '*') =>
    plugin(pluginId, { dependencies: [{ dependencyId, versionConstraint }] });

  it('adds a version to a plugin that is known, by the same call', async () => {
    const added = await register({ ...registerStripe, version: version('2.1.0') });
    expect(added.status).to.equal(201);
    expect(added.body).to.include({ version: '2.1.0', status: 'Active' });
    const { body } = await server.ask('Viewer', 'GET', '/plugins/payment-stripe');
    expect(body).to.include({ latestVersion: '2.1.0', status: 'Active' });
    expect(body).to.have.nested.include({
      'versions[0].semanticVersion': '2.1.0',
      'versions[1].semanticVersion': '2.0.0',
    });
  });

  it('answers another Beta version of what was deployed as the next read shows it', async () => {
    await server.ask('PlatformAdmin', 'POST', '/tenants', { tenantId: acmeId, name: 'Acme' });
    const beta = (semanticVersion: string) => ({ ...version(semanticVersion), state: 'Beta' });
    const first = await register({ pluginId: 'only-betas', name: 'Only Betas', version: beta('0.1.0') });
    expect(first.body).to.include({ status: 'Registered' });
    const where = { tenantId: acmeId, environment: 'Production' };
    const id = await server.deploy({ pluginId: 'only-betas', pluginVersion: '0.1.0', ...where });
    expect(await server.finished(id)).to.equal('Completed');
    const second = await register({ pluginId: 'only-betas', name: 'Only Betas', version: beta('0.2.0') });
    expect(second.body).to.include({ version: '0.2.0', status: 'Active' });
    const { body } = await server.ask('Viewer', 'GET', '/plugins/only-betas');
    expect(body).to.include({ status: 'Active' });
  });

  it('refuses a known version, and one that differs from it in build metadata alone', async () => {
    for (const known of ['2.0.0', '2.0.0+other'])
      expectRefusal(
        await register({ ...registerStripe, version: { ...registerStripe.version, semanticVersion: known } }),
        ...([409, 'CONFLICT', ['version.semanticVersion']] as const),
      );
  });

  it('refuses metadata that differs, naming each field, and takes what is left out', async () => {
    const differing = { ...registerStripe, name: 'Other', tags: ['payment'], version: version('3.0.0') };
    expectRefusal(await register(differing), 409, 'CONFLICT', ['name', 'tags']);
    const { pluginId, name } = registerStripe;
    expect((await register({ pluginId, name, version: version('3.0.0') })).status).to.equal(201);
  });

  it("lets nobody but the owner's developers and PlatformAdmins add to a plugin", async () => {
    const body = { ...registerStripe, version: version('4.0.0') };
    expectRefusal(await server.call('POST', '/api/v1/plugins', { token: rival, body }), 403, 'FORBIDDEN');
    const byAdmin = await server.ask('PlatformAdmin', 'POST', '/plugins', body);
    expect(byAdmin.status).to.equal(201);
    const { body: shown } = await server.ask('Viewer', 'GET', '/plugins/payment-stripe');
    expect(shown).to.include({ ownerTenant: tenantOf.PluginDeveloper });
  });

  it('shows every plugin to every role of every tenant', async () => {
    for (const role of ['PlatformAdmin', 'PluginDeveloper', 'TenantAdmin', 'Viewer'] as const)
      expect((await server.ask(role, 'GET', '/plugins/payment-stripe')).status, role).to.equal(200);
    const { body } = await server.call('GET', '/api/v1/plugins', { token: rival });
    expect(body).to.have.property('total').that.is.greaterThan(0);
  });

  it('takes a dependency that nobody has registered yet, and prerequisites of other types as they are', async () => {
    expect((await register(needing('early', 'not-yet-there', '>=1.0.0,<2.0.0'))).status).to.equal(201);
    const runtime = { dependencyId: 'dotnet/8', type: 'Framework', versionConstraint: '8' };
    expect((await register(plugin('framed', { dependencies: [runtime] }))).status).to.equal(201);
    const { body } = await server.ask('Viewer', 'GET', '/plugins/framed/versions/1.0.0');
    expect(body).to.have.deep.property('dependencies', [{ ...runtime, required: true }]);
  });

  const conflict = (body: object, field: string) =>
    register(body).then((reply) =>
      expectRefusal(reply, 400, 'DEPENDENCY_CONFLICT', [`version.dependencies[0].${field}`]),
    );

  it('refuses a dependency on itself', () => conflict(needing('narcissus', 'narcissus'), 'dependencyId'));

  it('refuses a constraint that is no range', () =>
    conflict(needing('vague', 'payment-stripe', 'the newest, please'), 'versionConstraint'));

  it('refuses a constraint that no version of a known plugin matches', async () => {
    await conflict(needing('futuristic', 'payment-stripe', '>=99.0.0'), 'versionConstraint');
    expect((await register(needing('modest', 'payment-stripe', '>=2.0.0,<3'))).status).to.equal(201);
  });

  it('refuses to close a cycle of required dependencies, and lets an optional one be', async () => {
    expect((await register(needing('cycle-a', 'cycle-b'))).status).to.equal(201);
    expect((await register(needing('cycle-b', 'cycle-c'))).status).to.equal(201);
    await conflict(needing('cycle-c', 'cycle-a'), 'dependencyId');
    const optional = [{ dependencyId: 'cycle-a', required: false }];
    expect((await register(plugin('cycle-c', { dependencies: optional }))).status).to.equal(201);
  });

  it('calls the highest Stable version the latest, else the highest of all', async () => {
    for (const beta of ['2.0.0-beta.2', '2.0.0-beta.10'])
      await register(plugin('betas', { state: 'Beta' }, beta));
    const latest = async () => (await server.ask('Viewer', 'GET', '/plugins/betas')).body;
    expect(await latest()).to.include({ latestVersion: '2.0.0-beta.10', status: 'Registered' });
    await register(plugin('betas', {}, '1.9.0'));
    expect(await latest()).to.include({ latestVersion: '1.9.0', status: 'Active' });
  });

  it('keeps slugs and package names apart from each other', async () => {
    expectRefusal(
      await register({ ...plugin('unclear'), packageName: 'payment-stripe' }),
      400,
      'VALIDATION_ERROR',
      ['packageName'],
    );
    expect((await register({ ...plugin('named'), packageName: '@acme/named' })).status).to.equal(201);
    expectRefusal(await register({ ...plugin('named-too'), packageName: '@acme/named' }), 409, 'CONFLICT', [
      'packageName',
    ]);
    expectRefusal(await server.ask('Viewer', 'GET', '/plugins/named-too'), 404, 'NOT_FOUND');
    expect((await register({ ...registerCorePayments, packageName: 'core-payments' })).status).to.equal(201);
  });
});
