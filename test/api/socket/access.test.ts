/** Who is let in, how long, and what of other tenants anybody ever sees. */
import { expect } from 'chai';
import type { ClientRequest } from 'node:http';
import { LoggedInAnswer } from '../../../src/api/plugin-manager/authentication.ts';
import { CreatedApiKeyAnswer, UserAnswer } from '../../../src/api/plugin-manager/user-schemas.ts';
import type { Role } from '../../../src/domain/permissions.ts';
import { channels } from '../../../src/projections/announcements/types.ts';
import { acmeId, openWholeServer, tenantOf, type WholeServer } from '../plugin-manager/whole-server.ts';
import { openSocket, type SocketClient } from './client.ts';

const globexId = 'tenant-globex';
const password = 'correct horse';

describe('who may listen on a socket', function () {
  this.timeout(30_000);
  let server: WholeServer;
  let people = 0;
  const open: SocketClient[] = [];
  before(async () => {
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', { tenantId: acmeId, name: 'Acme' });
    await server.ask('PlatformAdmin', 'POST', '/tenants', { tenantId: globexId, name: 'Globex' });
    await server.ask('PlatformAdmin', 'POST', '/plugins', {
      ...{ pluginId: 'mailer', name: 'Mailer' },
      version: { semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'Node' } },
    });
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((client) => client.close()));
  });
  after(() => server.stop());

  async function connect(headers: Readonly<Record<string, string>> = {}): Promise<SocketClient> {
    const client = await openSocket(server.url, { headers });
    open.push(client);
    return client;
  }
  async function listening(token: string, ...names: readonly string[]): Promise<SocketClient> {
    const client = await connect();
    await client.authenticate(token);
    await client.subscribe(names.length > 0 ? names : ['plugins']);
    return client;
  }
  async function person(role: Role, tenantId: string) {
    const email = `listener${(people += 1)}@example.com`;
    const body = { email, name: 'Ada', role, tenantId, password };
    const { userId } = UserAnswer.parse((await server.ask('PlatformAdmin', 'POST', '/users', body)).body);
    return { userId, email, token: await tokenOf(email) };
  }
  const tokenOf = async (email: string): Promise<string> =>
    LoggedInAnswer.parse((await server.login(email, password)).body).token;
  const edit = (name: string) => server.ask('PlatformAdmin', 'PATCH', '/plugins/mailer', { name });

  async function expectEnd(client: SocketClient, code: string, close = 4401): Promise<void> {
    expect((await client.nextOf('error')).error).to.include({ code });
    expect(await client.closed).to.deep.equal({ code: close, reason: code });
  }

  it('those with a token, with and without the word Bearer, in a frame or in the header of the upgrade', async () => {
    const token = await server.asRole('Viewer', tenantOf.Viewer);
    for (const text of [token, `Bearer ${token}`, `bearer  ${token}`]) {
      const client = await connect();
      expect(await client.authenticate(text)).to.include({ tenantId: acmeId });
    }
    const program = await connect({ Authorization: `Bearer ${token}` });
    expect((await program.next()).type).to.equal('authenticated');
  });

  it('nobody by two headers that say who: then a frame has to', async () => {
    const token = await server.asRole('TenantAdmin', 'tenant-globex');
    const finishRequest = (request: ClientRequest): void => {
      request.setHeader('Authorization', [`Bearer ${token}`, `Bearer ${token}`]);
      request.end();
    };
    const client = await openSocket(server.url, { finishRequest });
    open.push(client);
    const frame = await client.authenticate(await server.asRole('Viewer', tenantOf.Viewer));
    expect(frame).to.include({ type: 'authenticated', tenantId: acmeId });
    expect(client.frames).to.have.length(1);
  });

  it('those with an API key, for what the key may do, until it is revoked', async () => {
    const wanted = { name: 'Listening', permissions: ['plugins:read'] };
    const made = await server.ask('TenantAdmin', 'POST', '/api-keys', wanted);
    const { key, keyId } = CreatedApiKeyAnswer.parse(made.body);
    const program = await connect({ 'X-API-Key': key });
    expect((await program.next()).type).to.equal('authenticated');
    const client = await connect();
    await client.authenticate(key);
    const { denied } = await client.subscribe(['plugins', 'deployments']);
    expect(denied).to.deep.equal([{ channel: 'deployments', permission: 'deployments:read' }]);
    const other = await listening(await server.asRole('TenantAdmin', acmeId));

    await server.ask('TenantAdmin', 'DELETE', `/api-keys/${keyId}`);
    await expectEnd(client, 'AUTH_TOKEN_EXPIRED');
    await expectEnd(program, 'AUTH_TOKEN_EXPIRED');
    await edit('After the key');
    expect((await other.next()).data).to.include({ displayName: 'After the key' });
  });

  for (const [what, token] of [
    ['no token at all', 'nonsense'],
    ['a key that nobody has', `slw_${'x'.repeat(43)}`],
    ['an empty word', 'Bearer '],
    ['a token with another signature', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1c3JfMSJ9.'],
  ] as const) {
    it(`nobody with ${what}`, async () => {
      const client = await connect();
      client.send({ type: 'subscribe', channels: ['plugins'] });
      client.send({ type: 'auth', token });
      await expectEnd(client, 'AUTH_INVALID_CREDENTIALS');
      expect(client.frames.map(({ type }) => type)).to.deep.equal(['error']);
    });
  }

  it('nobody who does not say within ten seconds who he is', async () => {
    const silent = await connect();
    const known = await listening(await server.asRole('Viewer', acmeId));
    await server.pass(11);
    await expectEnd(silent, 'AUTH_INVALID_CREDENTIALS');
    known.send({ type: 'ping' });
    expect((await known.next()).type).to.equal('pong');
  });

  it('no longer than the token, unless a newer one is shown', async () => {
    const { token, email } = await person('Viewer', acmeId);
    const [stays, goes] = [await listening(token), await listening(token)];
    const hours = (count: number) => server.clock.jump(server.clock.now() + count * 3_600_000);
    hours(23);
    await stays.authenticate(await tokenOf(email));
    hours(2);
    await server.pass(1);
    await expectEnd(goes, 'AUTH_TOKEN_EXPIRED');
    stays.send({ type: 'ping' });
    expect((await stays.next()).type).to.equal('pong');
    hours(-25);
  });

  it('not as somebody else on the same socket', async () => {
    const client = await listening(await server.asRole('Viewer', acmeId));
    client.send({ type: 'auth', token: await server.asRole('TenantAdmin', acmeId) });
    expect((await client.next()).error).to.include({ code: 'PERMISSION_DENIED' });
    await edit('Still who it was');
    expect((await client.next()).data).to.include({ displayName: 'Still who it was' });
  });

  it('until the session is logged out, and that one alone', async () => {
    const { token, email } = await person('Viewer', acmeId);
    const [goes, stays] = [await listening(token), await listening(await tokenOf(email))];
    const reply = await server.call('POST', '/api/v1/authentication/logout', { token });
    expect(reply.status).to.equal(204);
    await expectEnd(goes, 'AUTH_TOKEN_EXPIRED');
    await edit('After the logout');
    expect((await stays.next()).data).to.include({ displayName: 'After the logout' });
    expect(goes.frames.some(({ data }) => data !== undefined)).to.equal(false);
  });

  for (const [what, change] of [
    ['is disabled', { disabled: true }],
    ['has another role', { role: 'PluginDeveloper' }],
  ] as const) {
    it(`until the user ${what}`, async () => {
      const { token, userId } = await person('Viewer', acmeId);
      const client = await listening(token);
      const reply = await server.ask('PlatformAdmin', 'PATCH', `/users/${userId}`, change);
      expect(reply.status).to.equal(200);
      await expectEnd(client, 'AUTH_TOKEN_EXPIRED');
    });
  }

  it('also while the tenant is suspended, as its reads are answered, and is told of both', async () => {
    const { token } = await person('TenantAdmin', globexId);
    const client = await listening(token, 'tenants', 'plugins');
    const turn = (status: string) => server.ask('PlatformAdmin', 'PATCH', `/tenants/${globexId}`, { status });
    expect((await turn('Suspended')).status).to.equal(200);
    expect((await client.next()).type).to.equal('tenant:suspended');
    const late = await listening(token, 'plugins');
    await edit('While it is suspended');
    for (const one of [client, late])
      expect((await one.next()).data).to.include({ displayName: 'While it is suspended' });
    expect((await turn('Active')).status).to.equal(200);
    expect((await client.next()).type).to.equal('tenant:reactivated');
  });

  it('an agent with its key, but to nothing: its permissions open no channel', async () => {
    const scoped = { name: 'Agent', scope: { environment: 'Production' } };
    const made = await server.ask('TenantAdmin', 'POST', '/api-keys', scoped);
    const client = await connect({ 'X-API-Key': CreatedApiKeyAnswer.parse(made.body).key });
    expect(await client.next()).to.include({ type: 'authenticated', tenantId: acmeId });
    const { channels: allowed, denied } = await client.subscribe(channels);
    expect(allowed).to.deep.equal([]);
    expect(denied).to.have.deep.members([
      { channel: 'plugins', permission: 'plugins:read' },
      { channel: 'deployments', permission: 'deployments:read' },
      { channel: 'health', permission: 'deployments:read' },
      { channel: 'tenants', permission: 'tenants:read' },
    ]);
    const other = await listening(await server.asRole('TenantAdmin', acmeId));
    await edit('Not for agents');
    expect((await other.next()).data).to.include({ displayName: 'Not for agents' });
    client.send({ type: 'ping' });
    expect((await client.next()).type).to.equal('pong');
  });

  it('no longer than the API key', async () => {
    const expiresAt = new Date(server.clock.now() + 3_600_000).toISOString();
    const wanted = { name: 'Brief', permissions: ['plugins:read'], expiresAt };
    const made = await server.ask('TenantAdmin', 'POST', '/api-keys', wanted);
    const client = await listening(CreatedApiKeyAnswer.parse(made.body).key);
    server.clock.jump(server.clock.now() + 3_600_000);
    await server.pass(1);
    await expectEnd(client, 'AUTH_TOKEN_EXPIRED');
    server.clock.jump(server.clock.now() - 3_600_000);
  });

  it('and nobody sees anything of another tenant, live or from the start', async () => {
    const start = server.server.ports.eventStore.logId;
    const everybody = {
      acme: await server.asRole('TenantAdmin', acmeId),
      globex: await server.asRole('TenantAdmin', globexId),
      platform: await server.asRole('PlatformAdmin'),
    };
    const live = await Promise.all(Object.values(everybody).map((token) => listening(token, ...channels)));
    await server.deploy({
      ...{ pluginId: 'mailer', pluginVersion: '1.0.0', tenantId: acmeId, environment: 'Planted-Place' },
      ...{ strategy: 'Direct', strategyConfig: { bakeSeconds: '10' } },
    });
    await server.ask('PlatformAdmin', 'PATCH', `/tenants/${acmeId}`, { name: 'Planted Name' });
    await server.pass(60);
    await edit('The end');
    const planted = async (client: SocketClient): Promise<readonly string[]> => {
      const end = await client.nextOf('plugin:edited');
      const told = client.frames.slice(0, client.frames.indexOf(end));
      return [
        ...new Set(
          told
            .filter((frame) => /planted/i.test(JSON.stringify(frame)))
            .map(({ channel }) => String(channel)),
        ),
      ];
    };
    const [own, foreign, all] = await Promise.all(live.map(planted));
    expect(own).to.have.members(['plugins', 'deployments', 'health', 'tenants']);
    expect(foreign).to.deep.equal([]);
    expect(all).to.have.members(['plugins', 'deployments', 'health', 'tenants']);

    const past = await connect();
    await past.authenticate(everybody.globex);
    await past.subscribe(channels, { since: `${start}:0` });
    for (let frame = await past.next(); frame.data?.['displayName'] !== 'The end'; frame = await past.next())
      expect(JSON.stringify(frame)).not.to.match(/planted|acme/i);
  });
});
