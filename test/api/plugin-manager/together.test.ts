/** Many callers at once, and what everybody sees of what was written. */
import { expect } from 'chai';
import { createAcme, registerCorePayments, registerStripe } from '../../fixtures/plugin-manager.ts';
import type { Reply } from '../../support/http.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';

const atOnce = 12;
const deployCore = {
  pluginId: 'core-payments',
  pluginVersion: '1.4.0',
  tenantId: acmeId,
  environment: 'Production',
};

describe('many callers of one server', () => {
  let server: WholeServer;
  before(async () => {
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    await server.ask('PluginDeveloper', 'POST', '/plugins', registerCorePayments);
    await server.asRole('TenantAdmin', acmeId);
  });
  after(() => server.stop());

  /** Sends them together: one wins, the others are told that they are too late. */
  async function oneWins(status: number, bodies: readonly object[], send: (body: object) => Promise<Reply>) {
    const replies = await Promise.all(bodies.map(send));
    const [won, ...more] = replies.filter((reply) => reply.status === status);
    expect(won, JSON.stringify(replies[0]?.body)).to.not.equal(undefined);
    expect(more).to.deep.equal([]);
    for (const reply of replies) if (reply !== won) expectRefusal(reply, 409, 'CONFLICT');
    return won;
  }
  const times = (body: (index: number) => object): readonly object[] =>
    Array.from({ length: atOnce }, (_, index) => body(index));

  it('give a tenant and its namespace to one', async () => {
    const create = (body: object) => server.ask('PlatformAdmin', 'POST', '/tenants', body);
    await oneWins(
      201,
      times((index) => ({ tenantId: 'wanted', name: `Wanted ${index}` })),
      create,
    );
    await oneWins(
      201,
      times((index) => ({ tenantId: `by-${index}`, name: 'By', namespace: 'shared' })),
      create,
    );
    const { body } = await server.ask('PlatformAdmin', 'GET', '/tenants');
    expect(body).to.include({ total: 3 });
  });

  it('publish a version once, and give a package name to one plugin', async () => {
    const register = (body: object) => server.ask('PluginDeveloper', 'POST', '/plugins', body);
    await oneWins(
      201,
      times(() => registerStripe),
      register,
    );
    const { version } = registerCorePayments;
    const named = (index: number) => ({
      pluginId: `named-${index}`,
      name: 'N',
      packageName: '@acme/name',
      version,
    });
    await oneWins(201, times(named), register);
    const shown = await server.ask('Viewer', 'GET', '/plugins/payment-stripe');
    expect(shown.body).to.have.property('versions').that.has.length(1);
  });

  it('have one rollout in a slot, and each their own elsewhere', async () => {
    const deploy = (body: object) => server.ask('TenantAdmin', 'POST', '/plugin-deployments', body);
    await oneWins(
      202,
      times((index) => ({ ...deployCore, totalInstances: index + 1 })),
      deploy,
    );
    const elsewhere = times((index) => ({ ...deployCore, environment: `Test-${index}` }));
    for (const reply of await Promise.all(elsewhere.map(deploy))) expect(reply.status).to.equal(202);
    const { body } = await server.ask('TenantAdmin', 'GET', '/plugin-deployments');
    expect(body).to.include({ total: atOnce + 1 });
  });

  it('see at once what they have written themselves, and what others wrote by its position', async () => {
    const developer = await server.asRole('PluginDeveloper', 'tenant-makers');
    const viewer = await server.asRole('Viewer', acmeId);
    for (let index = 0; index < 20; index += 1) {
      const pluginId = `fresh-${index}`;
      const body = { ...registerCorePayments, pluginId };
      const written = await server.call('POST', '/api/v1/plugins', { token: developer, body });
      const path = `/api/v1/plugins/${pluginId}`;
      const own = await server.call('GET', path, { token: developer });
      expect(own.status).to.equal(200);
      const position = written.headers.get('x-position') ?? '';
      const others = await server.call('GET', path, { token: viewer, headers: { 'X-Position': position } });
      expect(others.body).to.deep.equal(own.body);
    }
  });

  it('find everything as it was after a restart, and stay logged in', async () => {
    const paths = ['/plugins', '/plugins/payment-stripe/versions/2.0.0', '/tenants', `/tenants/${acmeId}`];
    const all = async () => {
      const bodies: unknown[] = [];
      for (const path of paths) bodies.push((await server.ask('PlatformAdmin', 'GET', path)).body);
      return bodies;
    };
    const before = await all();
    await server.restart();
    expect(await all()).to.deep.equal(before);
    expect(await server.ask('TenantAdmin', 'GET', '/plugin-deployments')).to.have.property('status', 200);
  });
});
