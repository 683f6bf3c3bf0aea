/** Commands about users that meet others, or stop half-way. */
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { changeUser, type ChangeUserDeps } from '../../src/commands/change-user.ts';
import { createUser, passwordKey } from '../../src/commands/create-user.ts';
import { logIn, WrongCredentials, type LogInDeps } from '../../src/commands/log-in.ts';
import type { CommandContext } from '../../src/core/executor.ts';
import { createSessions } from '../../src/core/sessions.ts';
import { createTokens } from '../../src/core/tokens.ts';
import { platformTenant } from '../../src/domain/ids.ts';
import type { UserId } from '../../src/domain/ids.ts';
import { permissionsOf } from '../../src/domain/permissions.ts';
import { Email, user } from '../../src/domain/user.ts';
import type { UserChange } from '../../src/domain/user-changes.ts';
import { createFakeExecutor, type FakeExecutor } from '../support/fake-executor.ts';
import { everyTry } from '../support/password-tries.ts';
import { rejection } from '../support/rejection.ts';
import { openTestVault } from '../support/test-vault.ts';

const clock = { now: () => Date.UTC(2026, 0, 1) };
const by = { tenant: null, permissions: new Set<string>(permissionsOf('PlatformAdmin')) };

function newContext(): CommandContext {
  return { commandId: randomUUID(), correlationId: randomUUID(), actor: { id: 'usr_admin', face: 'test' } };
}

describe('commands of users that meet others', () => {
  let deps: LogInDeps & { executor: FakeExecutor };
  beforeEach(async () => {
    const vault = await openTestVault(clock);
    deps = {
      ...{ vault, clock, executor: createFakeExecutor() },
      passwords: { hash: async (text) => text, verify: async (text, encoded) => encoded === text },
      passwordTries: everyTry,
      sessions: createSessions(vault, clock),
      tokens: createTokens(createSecretKey(randomBytes(32)), clock),
    };
  });
  afterEach(() => deps.vault.close());

  async function administrator(email: string): Promise<UserId> {
    const who = { tenantId: platformTenant, role: 'PlatformAdmin', name: null } as const;
    const input = { ...who, email: Email.parse(email), password: 'correct horse' };
    return (await createUser(deps, newContext(), input)).userId;
  }
  const change = (userId: UserId, wanted: UserChange, context = newContext()) =>
    changeUser(deps, context, { userId, by, change: wanted });

  it('log in with no session left when the user is disabled, or the password changed, meanwhile', async () => {
    await administrator('ada@example.com');
    for (const meanwhile of [
      (userId: UserId) => deps.vault.put(passwordKey(userId), Buffer.from('another one')),
      (userId: UserId) => change(userId, { disabled: true }),
    ]) {
      const email = `bob${randomUUID()}@example.com`;
      const userId = await administrator(email);
      const passwords: LogInDeps['passwords'] = {
        ...deps.passwords,
        verify: async (text, encoded) => {
          const matches = await deps.passwords.verify(text, encoded);
          await meanwhile(userId);
          return matches;
        },
      };
      const input = { username: email, password: 'correct horse', network: '192.0.2.1', lifetimeSeconds: 60 };
      expect(await rejection(logIn({ ...deps, passwords }, input))).to.be.instanceOf(WrongCredentials);
      expect(await deps.vault.names('session')).to.deep.equal([]);
    }
  });

  it('disable an administrator when they are repeated, whatever step they died at', async () => {
    await administrator('ada@example.com');
    for (let step = 0; ; step += 1) {
      const userId = await administrator(`bob${step}@example.com`);
      await deps.sessions.open(userId, new Date(clock.now() + 60_000));
      const context = newContext();
      let left = step;
      const live = (): void => {
        left -= 1;
        if (left < 0) throw new Error('crash');
      };
      const { executor, sessions } = deps;
      const dying: ChangeUserDeps = {
        vault: deps.vault,
        executor: {
          load: (aggregate, id) => executor.load(aggregate, id),
          execute: async (command) => {
            live();
            return executor.execute(command);
          },
        },
        sessions: {
          endAllOf: async (who: UserId) => {
            live();
            await sessions.endAllOf(who);
          },
        },
      };
      const disabling = { userId, by, change: { disabled: true } };

      await changeUser(dying, context, disabling).catch(() => undefined);
      await change(userId, { disabled: true }, context);
      expect((await executor.load(user, userId)).state.status).to.equal('Disabled');
      expect(await deps.vault.names('session', `${userId}.`)).to.deep.equal([]);
      if (left >= 0) {
        expect(step).to.equal(3);
        break;
      }
    }
  });
});
