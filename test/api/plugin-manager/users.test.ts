/** Users over HTTP: who makes and changes whom, and what ends at once. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { LoggedInAnswer } from '../../../src/api/plugin-manager/authentication.ts';
import {
  CreatedApiKeyAnswer,
  OwnAccountAnswer,
  UserAnswer,
  UserDetailsAnswer,
  UserListAnswer,
} from '../../../src/api/plugin-manager/user-schemas.ts';
import type { Role } from '../../../src/domain/permissions.ts';
import { createAcme } from '../../fixtures/plugin-manager.ts';
import type { Call } from '../../support/http.ts';
import { adminEmail, adminPassword } from '../../support/server.ts';
import { readWholeLog } from '../../support/whole-log.ts';
import { refusalIn } from './face.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';

const password = 'correct horse';
const globexId = 'tenant-globex';
let made = 0;

describe('users over HTTP', () => {
  let server: WholeServer;
  let globexAdmin = '';
  before(async () => {
    server = await openWholeServer();
    await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
    await server.ask('PlatformAdmin', 'POST', '/tenants', { tenantId: globexId, name: 'Globex' });
    globexAdmin = await server.asRole('TenantAdmin', globexId);
  });
  after(() => server.stop());

  const ask = (token: string, method: string, path: string, body?: unknown, call: Call = {}) =>
    server.call(method, `/api/v1${path}`, { token, ...(body === undefined ? {} : { body }), ...call });
  const newEmail = () => `person${(made += 1)}@example.com`;

  async function create(role: Role, tenantId: string, by: Role = 'PlatformAdmin') {
    const email = newEmail();
    const reply = await server.ask(by, 'POST', '/users', { email, name: 'Ada', role, tenantId, password });
    expect(reply.status, JSON.stringify(reply.body)).to.equal(201);
    const user = UserAnswer.parse(reply.body);
    expect(user).to.include({ email, name: 'Ada', role, tenantId, disabled: false });
    return { ...user, email, token: await tokenOf(email) };
  }

  async function tokenOf(email: string, word = password): Promise<string> {
    return LoggedInAnswer.parse((await server.login(email, word)).body).token;
  }

  describe('creating', () => {
    it('makes people who can log in and are who they were made', async () => {
      for (const [role, tenantId] of [
        ['PlatformAdmin', 'platform'],
        ['PluginDeveloper', 'platform'],
        ['PluginDeveloper', globexId],
        ['TenantAdmin', acmeId],
        ['Viewer', acmeId],
      ] as const) {
        const { token, userId, email } = await create(role, tenantId);
        const me = OwnAccountAnswer.parse((await ask(token, 'GET', '/users/me')).body);
        expect(me).to.include({ userId, email, name: 'Ada', role, tenantId, disabled: false });
        expect(me.permissions).to.include('account:read');
      }
    });

    it('lets a TenantAdmin make TenantAdmins and Viewers of the own tenant, and nobody else', async () => {
      await create('TenantAdmin', acmeId, 'TenantAdmin');
      await create('Viewer', acmeId, 'TenantAdmin');
      const body = (role: Role, tenantId?: string) => ({ email: newEmail(), role, tenantId, password });
      const asTenantAdmin = (sent: object) => server.ask('TenantAdmin', 'POST', '/users', sent);
      const own = await asTenantAdmin(body('Viewer'));
      expect(own.body).to.include({ tenantId: acmeId, name: null });
      for (const role of ['PluginDeveloper', 'PlatformAdmin'] as const)
        expectRefusal(await asTenantAdmin(body(role, acmeId)), 403, 'FORBIDDEN', ['role']);
      const others = await Promise.all(
        [globexId, 'tenant-unknown', 'platform'].map((id) => asTenantAdmin(body('Viewer', id))),
      );
      for (const other of others) expect(refusalIn(other)).to.deep.equal(refusalIn(others[0]!));
      expectRefusal(others[0]!, 403, 'FORBIDDEN', []);
    });

    it('needs a tenant that exists, and puts roles where they belong', async () => {
      const staff = (role: Role, tenantId?: string) =>
        server.ask('PlatformAdmin', 'POST', '/users', { email: newEmail(), role, tenantId, password });
      expectRefusal(await staff('Viewer', 'tenant-unknown'), 404, 'NOT_FOUND', ['tenantId']);
      expectRefusal(await staff('PlatformAdmin', acmeId), 400, 'VALIDATION_ERROR', ['role']);
      expectRefusal(await staff('TenantAdmin'), 400, 'VALIDATION_ERROR', ['tenantId']);
    });

    it('gives an address to one user, and makes one user of a request that is repeated', async () => {
      const body = { email: newEmail(), role: 'Viewer', tenantId: acmeId, password };
      const headers = { 'Idempotency-Key': randomUUID() };
      const first = await server.ask('TenantAdmin', 'POST', '/users', body, { headers });
      const again = await server.ask('TenantAdmin', 'POST', '/users', body, { headers });
      expect([first.status, again.status, again.body]).to.deep.equal([201, 201, first.body]);
      const taken = { ...body, email: ` ${body.email.toUpperCase()} ` };
      expectRefusal(await server.ask('TenantAdmin', 'POST', '/users', taken), 409, 'CONFLICT', ['email']);
    });
  });

  describe('looking', () => {
    it('lists by tenant, role and state, in pages', async () => {
      const { userId } = await create('Viewer', globexId);
      const list = async (token: string, query = '') => {
        await server.settle();
        const reply = await ask(token, 'GET', `/users${query}`);
        expect(reply.status).to.equal(200);
        return UserListAnswer.strict().parse(reply.body);
      };
      const all = await list(globexAdmin, '?limit=100');
      expect(new Set(all.users.map(({ tenantId }) => tenantId))).to.deep.equal(new Set([globexId]));
      expect(all.total).to.equal(all.users.length);
      const viewers = await list(globexAdmin, '?role=Viewer&disabled=false&limit=1');
      expect(viewers.users.map((user) => user.userId)).to.deep.equal([userId]);
      const admin = await server.asRole('PlatformAdmin');
      expect((await list(admin, `?tenantId=${globexId}`)).total).to.equal(all.total);
      expect((await list(admin)).total).to.be.greaterThan(all.total);
      for (const other of [acmeId, 'tenant-unknown'])
        expectRefusal(await ask(globexAdmin, 'GET', `/users?tenantId=${other}`), 403, 'FORBIDDEN', []);
    });

    it('shows a user, and to another tenant none', async () => {
      const { userId, email } = await create('Viewer', acmeId);
      const reply = await server.ask('TenantAdmin', 'GET', `/users/${userId}`);
      expect(UserDetailsAnswer.strict().parse(reply.body)).to.include({ userId, email, name: 'Ada' });
      const unknown = `usr_${'0'.repeat(20)}`;
      for (const method of ['GET', 'PATCH']) {
        const about = async (id: string) => {
          const reply = await ask(
            globexAdmin,
            method,
            `/users/${id}`,
            method === 'GET' ? undefined : { disabled: true },
          );
          return JSON.stringify(refusalIn(reply)).replaceAll(id, 'usr_');
        };
        expect(await about(userId))
          .to.equal(await about(unknown))
          .and.to.include('"status":404');
      }
      expect((await ask((await create('Viewer', acmeId)).token, 'GET', '/users/me')).status).to.equal(200);
    });
  });

  describe('changing', () => {
    it('renames, with the name sealed', async () => {
      const { userId, token } = await create('Viewer', acmeId);
      const patch = (name: string | null) => server.ask('TenantAdmin', 'PATCH', `/users/${userId}`, { name });
      expect((await patch('Planted Pseudonym')).body).to.include({ name: 'Planted Pseudonym' });
      expect((await server.ask('TenantAdmin', 'GET', `/users/${userId}`)).body).to.include({
        name: 'Planted Pseudonym',
      });
      expect((await ask(token, 'GET', '/users/me')).body).to.include({ name: 'Planted Pseudonym' });
      const log = JSON.stringify(await readWholeLog(server.server.ports.eventStore));
      for (const secret of ['Planted Pseudonym', 'person1@', adminEmail, password])
        expect(log).not.to.include(secret);
      expect((await patch(null)).body).to.include({ name: null });
    });

    it('changes roles, and the sessions of the old one end', async () => {
      const { userId, token, email } = await create('TenantAdmin', acmeId);
      expect((await ask(token, 'GET', '/users')).status).to.equal(200);
      const changed = await server.ask('TenantAdmin', 'PATCH', `/users/${userId}`, { role: 'Viewer' });
      expect(changed.body).to.include({ role: 'Viewer' });
      expectRefusal(await ask(token, 'GET', '/users/me'), 401, 'UNAUTHORIZED', []);
      const viewer = await tokenOf(email);
      expectRefusal(await ask(viewer, 'GET', '/users'), 403, 'FORBIDDEN', []);
      expectRefusal(
        await ask(viewer, 'PATCH', `/users/${userId}`, { role: 'TenantAdmin' }),
        403,
        'FORBIDDEN',
        [],
      );
    });

    it('lets nobody lift anybody above what he is', async () => {
      const developer = await create('PluginDeveloper', acmeId);
      const admin = await create('TenantAdmin', acmeId);
      const patch = (id: string, body: object) => ask(admin.token, 'PATCH', `/users/${id}`, body);
      for (const role of ['PlatformAdmin', 'PluginDeveloper'])
        expectRefusal(await patch(admin.userId, { role }), 403, 'FORBIDDEN', ['role']);
      expectRefusal(await patch(developer.userId, { disabled: true }), 403, 'FORBIDDEN', ['role']);
      expectRefusal(await patch(developer.userId, { role: 'Viewer' }), 403, 'FORBIDDEN', ['role']);
      const byStaff = await server.ask('PlatformAdmin', 'PATCH', `/users/${admin.userId}`, {
        role: 'PlatformAdmin',
      });
      expectRefusal(byStaff, 400, 'VALIDATION_ERROR', ['role']);
    });

    it('refuses what changes nothing or more than there is', async () => {
      const { userId } = await create('Viewer', acmeId);
      for (const [body, field] of [
        [{}, 'body'],
        [{ name: 'Ada', email: 'other@example.com' }, 'email'],
        [{ name: 'Ada', tenantId: globexId }, 'tenantId'],
        [{ role: 'Owner' }, 'role'],
        [{ disabled: 'true' }, 'disabled'],
        [{ name: '' }, 'name'],
      ] as const)
        expectRefusal(
          await server.ask('TenantAdmin', 'PATCH', `/users/${userId}`, body),
          400,
          'VALIDATION_ERROR',
          [field],
        );
    });
  });

  describe('disabling', () => {
    it('ends sessions and keys at once, the keys for good', async () => {
      const { userId, token, email } = await create('Viewer', acmeId);
      const key = CreatedApiKeyAnswer.parse((await ask(token, 'POST', '/api-keys', { name: 'CI' })).body).key;
      const withKey = () => server.call('GET', '/api/v1/users/me', { headers: { 'X-API-Key': key } });
      expect((await withKey()).status).to.equal(200);
      const patch = (body: object) => server.ask('TenantAdmin', 'PATCH', `/users/${userId}`, body);
      expect((await patch({ disabled: true })).body).to.include({ disabled: true });
      expectRefusal(await ask(token, 'GET', '/users/me'), 401, 'UNAUTHORIZED', []);
      expectRefusal(await withKey(), 401, 'UNAUTHORIZED', []);
      const refused = refusalIn(await server.login(email, password));
      expect(refused).to.deep.equal(refusalIn(await server.login('nobody@example.com', password)));
      expect((await patch({ disabled: true })).status, 'again').to.equal(200);

      expect((await patch({ disabled: false })).body).to.include({ disabled: false });
      expectRefusal(await ask(token, 'GET', '/users/me'), 401, 'UNAUTHORIZED', []);
      expectRefusal(await withKey(), 401, 'UNAUTHORIZED', []);
      expect((await ask(await tokenOf(email), 'GET', '/users/me')).status).to.equal(200);
      expect((await server.ask('TenantAdmin', 'GET', `/users/${userId}`)).body).to.include({
        disabled: false,
      });
    });

    it('leaves no session behind of who logs in meanwhile', async () => {
      for (let round = 0; round < 5; round += 1) {
        const { userId, email } = await create('Viewer', acmeId);
        const [login] = await Promise.all([
          server.login(email, password),
          server.ask('TenantAdmin', 'PATCH', `/users/${userId}`, { disabled: true }),
        ]);
        const answer = LoggedInAnswer.safeParse(login.body);
        if (answer.success)
          expectRefusal(await ask(answer.data.token, 'GET', '/users/me'), 401, 'UNAUTHORIZED', []);
        else expect(login.status).to.equal(401);
        expect(await server.server.ports.vault.names('session', `${userId}.`)).to.deep.equal([]);
      }
    });

    it('keeps the last PlatformAdmin, whoever disables whom at the same time', async () => {
      const list = await server.ask('PlatformAdmin', 'GET', '/users?role=PlatformAdmin&limit=100');
      const { users } = UserListAnswer.parse(list.body);
      const first = users.find(({ email }) => email === adminEmail)!;
      const firstToken = await server.asRole('PlatformAdmin');
      for (const { userId } of users)
        if (userId !== first.userId)
          expect((await ask(firstToken, 'PATCH', `/users/${userId}`, { disabled: true })).status).to.equal(
            200,
          );
      for (const body of [{ disabled: true }, { role: 'PluginDeveloper' }])
        expectRefusal(await ask(firstToken, 'PATCH', `/users/${first.userId}`, body), 409, 'CONFLICT', []);

      const second = await create('PlatformAdmin', 'platform');
      const replies = await Promise.all([
        ask(firstToken, 'PATCH', `/users/${second.userId}`, { disabled: true }),
        ask(second.token, 'PATCH', `/users/${first.userId}`, { role: 'PluginDeveloper' }),
      ]);
      const alive = await Promise.all(
        [firstToken, second.token].map(async (token) => (await ask(token, 'GET', '/users')).status),
      );
      expect(replies.filter(({ status }) => status === 200)).to.have.length(1);
      expect(alive).to.have.members([200, 401]);
    });
  });
});

describe('sessions and passwords over HTTP', () => {
  let server: WholeServer;
  before(async () => {
    server = await openWholeServer();
  });
  after(() => server.stop());

  const login = async (word: string) =>
    LoggedInAnswer.parse((await server.login(adminEmail, word)).body).token;
  const me = (token: string) => server.call('GET', '/api/v1/users/me', { token });

  it('end at logout, at once and over a restart, and no other ends with them', async () => {
    const [token, other] = [await login(adminPassword), await login(adminPassword)];
    const reply = await server.call('POST', '/api/v1/authentication/logout', { token });
    expect([reply.status, reply.body]).to.deep.equal([204, null]);
    expectRefusal(await me(token), 401, 'UNAUTHORIZED', []);
    expectRefusal(
      await server.call('POST', '/api/v1/authentication/logout', { token }),
      401,
      'UNAUTHORIZED',
      [],
    );
    expect((await me(other)).status).to.equal(200);
    await server.restart();
    expectRefusal(await me(token), 401, 'UNAUTHORIZED', []);
    expect((await me(other)).status).to.equal(200);
  });

  it('change for who knows the current password, and end all other sessions', async () => {
    const [token, other] = [await login(adminPassword), await login(adminPassword)];
    const newPassword = 'battery staple';
    const change = (body: object) => server.call('PUT', '/api/v1/users/me/password', { token, body });
    const wrong = await change({ currentPassword: 'wrong one', newPassword });
    expectRefusal(wrong, 400, 'VALIDATION_ERROR', ['currentPassword']);
    for (const weak of ['short', 'x'.repeat(257)])
      expectRefusal(
        await change({ currentPassword: adminPassword, newPassword: weak }),
        400,
        'VALIDATION_ERROR',
        ['newPassword'],
      );
    expectRefusal(await change({ newPassword }), 400, 'VALIDATION_ERROR', ['currentPassword']);
    expect((await me(other)).status).to.equal(200);

    const reply = await change({ currentPassword: adminPassword, newPassword });
    expect([reply.status, reply.body]).to.deep.equal([204, null]);
    expect((await me(token)).status).to.equal(200);
    expectRefusal(await me(other), 401, 'UNAUTHORIZED', []);
    expectRefusal(await server.login(adminEmail, adminPassword), 401, 'UNAUTHORIZED', []);
    expect((await me(await login(newPassword))).status).to.equal(200);
  });
});
