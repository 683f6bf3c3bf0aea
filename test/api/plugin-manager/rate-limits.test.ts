import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { CreatedApiKeyAnswer } from '../../../src/api/plugin-manager/user-schemas.ts';
import { createAcme, registerCorePayments } from '../../fixtures/plugin-manager.ts';
import type { Reply } from '../../support/http.ts';
import { adminEmail, adminPassword } from '../../support/server.ts';
import { acmeId, expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';

const told = ({ headers }: Reply) => [
  Number(headers.get('x-ratelimit-limit')),
  Number(headers.get('x-ratelimit-remaining')),
];

describe('rate limits over HTTP', () => {
  let server: WholeServer;
  const open = (setting: 'on' | 'off') => async () => {
    server = await openWholeServer({ SLIPWAY_RATE_LIMITS: setting });
  };
  afterEach(() => server.stop());

  const register = (pluginId: string, headers = {}) =>
    server.ask('PluginDeveloper', 'POST', '/plugins', { ...registerCorePayments, pluginId }, { headers });

  describe('switched on', () => {
    beforeEach(open('on'));

    it('let a user register ten plugins a minute; the refused one works a minute later, with its key', async () => {
      for (let number = 1; number <= 10; number += 1) {
        const reply = await register(`plugin-${number}`);
        expect([reply.status, ...told(reply)]).to.deep.equal([201, 10, 10 - number]);
      }
      const key = { 'Idempotency-Key': randomUUID() };
      const refused = await register('plugin-11', key);
      expectRefusal(refused, 429, 'RATE_LIMIT_EXCEEDED', []);
      expect([...told(refused), refused.headers.get('retry-after')]).to.deep.equal([10, 0, '60']);
      expect((await server.ask('PlatformAdmin', 'POST', '/plugins', registerCorePayments)).status).to.equal(
        201,
      );
      await server.pass(60);
      const again = await register('plugin-11', key);
      expect([again.status, again.headers.get('idempotency-replayed')]).to.deep.equal([201, null]);
    });

    it('let every agent ask six hundred times a minute, each for itself', async () => {
      await server.ask('PlatformAdmin', 'POST', '/tenants', createAcme);
      const make = async () => {
        const body = { name: 'Agent', scope: { environment: 'Production' } };
        const reply = await server.ask('TenantAdmin', 'POST', '/api-keys', body);
        return { headers: { 'X-API-Key': CreatedApiKeyAnswer.parse(reply.body).key } };
      };
      const [one, other] = [await make(), await make()];
      const ask = (call: typeof one) => server.call('GET', '/api/v1/agent/assignments', call);
      for (let left = 599; left >= 0; left -= 1) expect(told(await ask(one))).to.deep.equal([600, left]);
      expectRefusal(await ask(one), 429, 'RATE_LIMIT_EXCEEDED', []);
      expect(told(await ask(other))).to.deep.equal([600, 599]);
      expect((await server.ask('TenantAdmin', 'GET', '/api-keys')).status).to.equal(200);
    });

    it('come before the role, and after the token', async () => {
      for (let number = 1; number <= 10; number += 1)
        expect((await server.ask('Viewer', 'POST', '/plugins', {})).status).to.equal(403);
      expectRefusal(await server.ask('Viewer', 'POST', '/plugins', {}), 429, 'RATE_LIMIT_EXCEEDED', []);
      expectRefusal(await server.call('POST', '/api/v1/plugins', { body: {} }), 401, 'UNAUTHORIZED', []);
    });

    it('let an address try ten passwords a minute, right or wrong', async () => {
      for (let number = 1; number <= 10; number += 1)
        expectRefusal(await server.login(`user${number}@example.com`, 'wrong'), 401, 'UNAUTHORIZED');
      const refused = await server.login(adminEmail, adminPassword);
      expectRefusal(refused, 429, 'RATE_LIMIT_EXCEEDED', []);
      await server.pass(60);
      expect((await server.login(adminEmail, adminPassword)).status).to.equal(200);
    });
  });

  describe('switched off', () => {
    beforeEach(open('off'));

    it('leave the limit of a tenant, which its users share', async () => {
      const rateLimits = { maxRequestsPerMinute: 12 };
      const created = await server.ask('PlatformAdmin', 'POST', '/tenants', { ...createAcme, rateLimits });
      expect([created.status, created.headers.get('x-ratelimit-limit')]).to.deep.equal([201, null]);
      const read = (role: 'TenantAdmin' | 'Viewer') => server.ask(role, 'GET', '/plugins');
      for (let left = 11; left >= 1; left -= 2) {
        expect(told(await read('TenantAdmin'))).to.deep.equal([12, left]);
        expect(told(await read('Viewer'))).to.deep.equal([12, left - 1]);
      }
      for (const role of ['TenantAdmin', 'Viewer'] as const)
        expectRefusal(await read(role), 429, 'RATE_LIMIT_EXCEEDED', []);
      for (let more = 1; more <= 15; more += 1) {
        const reply = await server.ask('PlatformAdmin', 'GET', `/tenants/${acmeId}`);
        expect(reply.status).to.equal(200);
      }
      await server.pass(60);
      expect(told(await read('Viewer'))).to.deep.equal([12, 11]);
    });
  });
});
