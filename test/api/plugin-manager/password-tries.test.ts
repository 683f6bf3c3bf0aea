/** How often passwords may be tried, over HTTP. What is counted how, test/core/password-tries.test.ts says. */
import { expect } from 'chai';
import { LoggedInAnswer } from '../../../src/api/plugin-manager/authentication.ts';
import type { Reply } from '../../support/http.ts';
import { adminEmail, adminPassword } from '../../support/server.ts';
import { expectRefusal, openWholeServer, type WholeServer } from './whole-server.ts';

const wrong = 'wrong password';
const path = '/api/v1/authentication/login';

describe('tries of passwords over HTTP', () => {
  let server: WholeServer;
  const log: string[] = [];
  const open = async (settings: Readonly<Record<string, string>> = {}) => {
    server = await openWholeServer(settings, (line) => void log.push(line));
  };
  afterEach(() => server.stop());

  /** @param from what it says in `X-Forwarded-For` */
  const login = (username: string, password: string, from?: string): Promise<Reply> =>
    server.call('POST', path, {
      body: { username, password },
      ...(from === undefined ? {} : { headers: { 'X-Forwarded-For': from } }),
    });
  const statuses = (replies: readonly Reply[]) =>
    Object.fromEntries(
      [...Map.groupBy(replies, ({ status }) => status)].map(([status, { length }]) => [status, length]),
    );

  it('are five of fifty that come at once, for who exists and for who does not, in the same words', async () => {
    await open();
    const told: unknown[] = [];
    for (const username of [adminEmail, 'nobody@example.com']) {
      const replies = await Promise.all(Array.from({ length: 50 }, () => login(username, wrong)));
      expect(statuses(replies)).to.deep.equal({ 401: 5, 429: 45 });
      for (const reply of replies.filter(({ status }) => status === 429)) {
        const { code, message, details } = expectRefusal(reply, 429, 'RATE_LIMIT_EXCEEDED', []);
        told.push([code, message, details, reply.headers.get('retry-after')]);
      }
    }
    for (const one of told)
      expect(one).to.deep.equal([
        ...['RATE_LIMIT_EXCEEDED', 'Passwords were wrong too often; try again in 60 seconds'],
        ...[[], '60'],
      ]);
    expectRefusal(await login(adminEmail, adminPassword), 429, 'RATE_LIMIT_EXCEEDED', []);
    await server.pass(60);
    expect((await login(adminEmail, adminPassword)).status).to.equal(200);
    expect(log.join('')).not.to.include(wrong).and.not.include(adminEmail);
  });

  it('are counted by who is asked for, however it is spelled', async () => {
    await open();
    for (const username of [
      adminEmail,
      ` ${adminEmail}`,
      adminEmail.toUpperCase(),
      'Admin@Example.com',
      adminEmail,
    ])
      expectRefusal(await login(username, wrong), 401, 'UNAUTHORIZED');
    expectRefusal(await login(`${adminEmail} `, wrong), 429, 'RATE_LIMIT_EXCEEDED');
  });

  it('are refused from one address for all accounts, and nothing that it says of itself helps', async () => {
    await open();
    const forged = (number: number) => `198.51.100.${number}`;
    for (let number = 1; number <= 20; number += 1)
      expectRefusal(await login(`user${number}@example.com`, wrong, forged(number)), 401, 'UNAUTHORIZED');
    const refused = await login(adminEmail, adminPassword, forged(99));
    expectRefusal(refused, 429, 'RATE_LIMIT_EXCEEDED', []);
    expect(refused.headers.get('retry-after')).to.equal(String(15 * 60));
  });

  it('are counted by the address that a trusted proxy names, not by what stands before it', async () => {
    await open({ SLIPWAY_TRUSTED_PROXIES: '127.0.0.0/8', SLIPWAY_RATE_LIMITS: 'on' });
    for (let number = 1; number <= 5; number += 1)
      expectRefusal(await login(adminEmail, wrong, `198.51.100.${number}, 192.0.2.1`), 401, 'UNAUTHORIZED');
    expectRefusal(await login(adminEmail, adminPassword, '192.0.2.1'), 429, 'RATE_LIMIT_EXCEEDED');
    const elsewhere = await login(adminEmail, adminPassword, '192.0.2.2');
    expect([elsewhere.status, elsewhere.headers.get('x-ratelimit-remaining')]).to.deep.equal([200, '9']);
  });

  it('count when a password is changed, together with those of logging in, and leave the session alone', async () => {
    await open();
    const { token } = LoggedInAnswer.parse((await login(adminEmail, adminPassword)).body);
    const change = (currentPassword: string, newPassword = 'battery staple') =>
      server.call('PUT', '/api/v1/users/me/password', { token, body: { currentPassword, newPassword } });
    for (let number = 1; number <= 3; number += 1)
      expectRefusal(await change(wrong), 400, 'VALIDATION_ERROR', ['currentPassword']);
    expectRefusal(await change(wrong, 'weak'), 400, 'VALIDATION_ERROR', ['newPassword']);
    for (let number = 4; number <= 5; number += 1)
      expectRefusal(await login(adminEmail, wrong), 401, 'UNAUTHORIZED');
    const refused = await change(adminPassword);
    expectRefusal(refused, 429, 'RATE_LIMIT_EXCEEDED', []);
    expect(refused.headers.get('retry-after')).to.equal('60');
    expect((await server.call('GET', '/api/v1/users/me', { token })).status).to.equal(200);
    await server.pass(60);
    expect((await change(adminPassword)).status).to.equal(204);
  });
});
