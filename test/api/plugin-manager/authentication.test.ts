import { createSecretKey, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { authenticationRoutes, LoggedInAnswer } from '../../../src/api/plugin-manager/authentication.ts';
import { createUser } from '../../../src/commands/create-user.ts';
import type { LogInDeps } from '../../../src/commands/log-in.ts';
import type { Passwords } from '../../../src/core/passwords.ts';
import { createSessions } from '../../../src/core/sessions.ts';
import { createTokens } from '../../../src/core/tokens.ts';
import { platformTenant } from '../../../src/domain/ids.ts';
import { Email } from '../../../src/domain/user.ts';
import { someContext } from '../../commands/support.ts';
import { responses } from '../../fixtures/plugin-manager.ts';
import { createFakeExecutor } from '../../support/fake-executor.ts';
import { everyTry } from '../../support/password-tries.ts';
import { expectShape } from '../../support/shape.ts';
import { openTestVault } from '../../support/test-vault.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';
import { refusalIn, withFace, type Ask } from './face.ts';

const cheapPasswords: Passwords = {
  hash: async (text) => `hash of ${text}`,
  verify: async (text, encoded) => encoded === `hash of ${text}`,
};

describe('Authentication', () => {
  const clock = createVirtualClock();
  let deps: LogInDeps;
  beforeEach(async () => {
    const vault = await openTestVault(clock);
    const tokens = createTokens(createSecretKey(randomBytes(32)), clock);
    const sessions = createSessions(vault, clock);
    deps = {
      vault,
      clock,
      tokens,
      sessions,
      executor: createFakeExecutor(),
      passwords: cheapPasswords,
      passwordTries: everyTry,
    };
    await createUser(deps, someContext(), {
      tenantId: platformTenant,
      role: 'PlatformAdmin',
      email: Email.parse('admin@example.com'),
      name: null,
      password: 'Admin123!',
    });
  });
  afterEach(() => deps.vault.close());

  const served = (use: (ask: Ask) => Promise<void>) =>
    withFace({ clock, caughtUp: async () => undefined }, authenticationRoutes(deps), use);
  const path = '/authentication/login';

  it('answers a token that lasts a day', () =>
    served(async (ask) => {
      const sent = { username: 'Admin@Example.com', password: 'Admin123!' };
      const { status, body } = await ask(null, 'POST', path, sent);
      expect(status).to.equal(200);
      expectShape(body, responses.login);
      const { token, expiresAt, user } = LoggedInAnswer.parse(body);
      expect(Date.parse(expiresAt) - clock.now()).to.equal(24 * 3_600_000);
      expect(user).to.include({ username: 'admin@example.com', role: 'PlatformAdmin' });
      const claims = await deps.tokens.verify(token);
      expect(claims).to.include({ userId: user.userId, tenantId: platformTenant });
      expect(claims.expiresAt.toISOString()).to.equal(expiresAt);
    }));

  it('says the same of a wrong password and an unknown user', () =>
    served(async (ask) => {
      const refusals = [];
      for (const username of ['admin@example.com', 'nobody@example.com', 'no address'])
        refusals.push(refusalIn(await ask(null, 'POST', path, { username, password: 'wrong' })));
      for (const refusal of refusals) expect(refusal).to.deep.equal(refusals[0]);
      expect(refusals[0]).to.include({ status: 401, code: 'UNAUTHORIZED' });
    }));

  it('refuses bodies that are no login', () =>
    served(async (ask) => {
      for (const body of [
        {},
        { username: 'admin@example.com' },
        { username: 'a', password: 1 },
        { username: 'a', password: 'b', mfa: 1 },
      ])
        expect((await ask(null, 'POST', path, body)).status, JSON.stringify(body)).to.equal(400);
    }));
});
