/** API keys over HTTP: what they may do, when they end, and that they are kept nowhere. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  ApiKeyListAnswer,
  CreatedApiKeyAnswer,
  OwnAccountAnswer,
} from '../../../src/api/plugin-manager/user-schemas.ts';
import type { Role } from '../../../src/domain/permissions.ts';
import { registerCorePayments } from '../../fixtures/plugin-manager.ts';
import { readWholeLog } from '../../support/whole-log.ts';
import { expectRefusal, openWholeServer, tenantOf, type WholeServer } from './whole-server.ts';

const dayMs = 24 * 3_600_000;

describe('API keys over HTTP', () => {
  let server: WholeServer;
  const lines: string[] = [];
  before(async () => {
    server = await openWholeServer({}, (line) => void lines.push(line));
  });
  after(() => server.stop());

  async function create(role: Role, body: object) {
    const reply = await server.ask(role, 'POST', '/api-keys', body);
    expect(reply.status, JSON.stringify(reply.body)).to.equal(201);
    return CreatedApiKeyAnswer.strict().parse(reply.body);
  }
  const withKey = (key: string, method: string, path: string, body?: unknown, headers = {}) =>
    server.call(method, `/api/v1${path}`, {
      headers: { 'X-API-Key': key, ...headers },
      ...(body === undefined ? {} : { body }),
    });
  const list = async (role: Role, query = '') =>
    ApiKeyListAnswer.strict().parse((await server.ask(role, 'GET', `/api-keys${query}`)).body);

  it('work wherever a token does, as their user, for every role', async () => {
    for (const role of ['PlatformAdmin', 'PluginDeveloper', 'TenantAdmin', 'Viewer'] as const) {
      const { key, permissions } = await create(role, { name: 'CI' });
      expect(key).to.match(/^slw_[A-Za-z0-9_-]{43}$/);
      const me = OwnAccountAnswer.parse((await withKey(key, 'GET', '/users/me')).body);
      expect(me).to.include({ role, tenantId: tenantOf[role] });
      expect(me.permissions).to.deep.equal(permissions);
      expect((await withKey(key, 'GET', '/plugins')).status).to.equal(200);
    }
    const { key } = await create('PluginDeveloper', { name: 'Publishing' });
    expect((await withKey(key, 'POST', '/plugins', registerCorePayments)).status).to.equal(201);
  });

  it('do no more than they were made for, and can be made for no more than one may oneself', async () => {
    const { key } = await create('PluginDeveloper', { name: 'Reading', permissions: ['plugins:read'] });
    expect((await withKey(key, 'GET', '/plugins')).status).to.equal(200);
    expectRefusal(await withKey(key, 'POST', '/plugins', registerCorePayments), 403, 'FORBIDDEN', []);
    expectRefusal(await withKey(key, 'GET', '/users/me'), 403, 'FORBIDDEN', []);
    const more = { name: 'More', permissions: ['plugins:read', 'plugins:write'] };
    expectRefusal(await server.ask('Viewer', 'POST', '/api-keys', more), 403, 'FORBIDDEN', ['permissions']);
    const making = await create('PlatformAdmin', { name: 'Making', permissions: ['users:write'] });
    const user = { email: 'eve@example.com', role: 'PlatformAdmin', password: 'correct horse' };
    expectRefusal(await withKey(making.key, 'POST', '/users', user), 403, 'FORBIDDEN', ['role']);
  });

  it('do not what a person must do: log out, change the password, make keys', async () => {
    const { key } = await create('PlatformAdmin', { name: 'All' });
    const passwords = { currentPassword: 'Admin123!', newPassword: 'correct horse' };
    for (const [method, path, body] of [
      ['POST', '/authentication/logout', {}],
      ['PUT', '/users/me/password', passwords],
      ['POST', '/api-keys', { name: 'Another' }],
    ] as const)
      expectRefusal(await withKey(key, method, path, body), 403, 'FORBIDDEN', []);
  });

  it('are listed by their names for their user alone, and are not in the log', async () => {
    const before = await list('TenantAdmin');
    const { key, ...shown } = await create('TenantAdmin', { name: 'Nightly', permissions: ['plugins:read'] });
    const page = await list('TenantAdmin', '?limit=1');
    expect(page).to.deep.equal({ apiKeys: [shown], total: before.total + 1, limit: 1, offset: 0 });
    expect((await list('PlatformAdmin', '?limit=100')).apiKeys.map(({ keyId }) => keyId)).not.to.include(
      shown.keyId,
    );
    const { eventStore, vault } = server.server.ports;
    const hash = createHash('sha256').update(key).digest('hex');
    const written = JSON.stringify(await readWholeLog(eventStore));
    expect(written).to.include('"name":"Nightly"').and.not.include(key).and.not.include(hash);
    expect(await vault.names('api-key', hash)).to.deep.equal([hash]);
    const kept = await vault.get({ kind: 'api-key', name: hash });
    expect(Buffer.from(kept!).toString()).not.to.include(key.slice(4));
  });

  it('are shown once: a repeated request makes another, and nothing keeps the first', async () => {
    const repeated = { headers: { 'Idempotency-Key': 'the same' } };
    const make = async () =>
      CreatedApiKeyAnswer.parse(
        (await server.ask('TenantAdmin', 'POST', '/api-keys', { name: 'Once' }, repeated)).body,
      );
    const [one, other] = [await make(), await make()];
    expect(one.key).not.to.equal(other.key);
    expect(one.keyId).not.to.equal(other.keyId);
    expect(await server.server.ports.vault.names('command-answer')).to.deep.equal([]);
    for (const { key } of [one, other]) {
      expect((await withKey(key, 'GET', '/plugins')).status).to.equal(200);
      for (const path of ['/api-keys?limit=100', '/users/me', '/audit/log?limit=100'])
        expect(JSON.stringify((await server.ask('PlatformAdmin', 'GET', path)).body)).not.to.include(key);
      expect(lines.join('')).to.include('/api-keys').and.not.include(key.slice(4));
    }
    // Nor is it in any file of the data folder, behind whatever is asked.
    const entries = await readdir(server.folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    expect(files).to.include(join(server.folder, 'vault.db'));
    for (const file of files) {
      const bytes = await readFile(file);
      for (const { key } of [one, other]) expect(bytes.includes(key.slice(4)), file).to.equal(false);
    }
  });

  it('are refused at once when they are revoked, by nobody but their user', async () => {
    const { key, keyId } = await create('TenantAdmin', { name: 'Short' });
    const remove = (role: Role) => server.ask(role, 'DELETE', `/api-keys/${keyId}`);
    for (const role of ['PlatformAdmin', 'Viewer'] as const)
      expectRefusal(await remove(role), 404, 'NOT_FOUND', []);
    expect((await withKey(key, 'GET', '/plugins')).status).to.equal(200);
    expect((await remove('TenantAdmin')).status).to.equal(204);
    expectRefusal(await withKey(key, 'GET', '/plugins'), 401, 'UNAUTHORIZED', []);
    expectRefusal(await remove('TenantAdmin'), 404, 'NOT_FOUND', []);
    expectRefusal(await server.ask('TenantAdmin', 'DELETE', '/api-keys/nonsense'), 404, 'NOT_FOUND', []);
  });

  it('are refused when there is something wrong with them, in the words of one refusal', async () => {
    const { key } = await create('Viewer', { name: 'Right' });
    const other = key.at(-1) === 'A' ? 'E' : 'A';
    for (const wrong of [
      '',
      'x',
      'slw_',
      key.slice(0, -1) + other,
      `${key} `.trim() + 'A',
      key.toUpperCase(),
    ]) {
      const reply = await withKey(wrong, 'GET', '/plugins');
      const { message } = expectRefusal(reply, 401, 'UNAUTHORIZED', []);
      expect(message).to.equal('The API key is not valid, or not any longer');
    }
    const both = { Authorization: `Bearer ${await server.asRole('Viewer', tenantOf.Viewer)}` };
    expectRefusal(await withKey(key, 'GET', '/plugins', undefined, both), 400, 'VALIDATION_ERROR', [
      'X-API-Key',
    ]);
  });

  it('hold over a restart', async () => {
    const { key } = await create('Viewer', { name: 'Lasting' });
    await server.restart();
    expect((await withKey(key, 'GET', '/plugins')).status).to.equal(200);
  });

  it('end when they were to, after 90 days by default and a year at most', async () => {
    const now = server.clock.now();
    const inDays = (days: number) => new Date(now + days * dayMs).toISOString();
    expect((await create('Viewer', { name: 'Default' })).expiresAt).to.equal(inDays(90));
    expect((await create('Viewer', { name: 'Week', expiresInDays: 7 })).expiresAt).to.equal(inDays(7));
    const { key } = await create('Viewer', { name: 'Tomorrow', expiresAt: inDays(1) });
    for (const expiresAt of [inDays(0), inDays(-1), inDays(366)]) {
      const reply = await server.ask('Viewer', 'POST', '/api-keys', { name: 'Odd', expiresAt });
      expectRefusal(reply, 400, 'VALIDATION_ERROR', ['expiresAt']);
    }
    server.clock.jump(now + dayMs - 1);
    expect((await withKey(key, 'GET', '/plugins')).status).to.equal(200);
    server.clock.jump(now + dayMs);
    expectRefusal(await withKey(key, 'GET', '/plugins'), 401, 'UNAUTHORIZED', []);
  });
});
