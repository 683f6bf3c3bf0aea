import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { createFirstAdmin } from '../../src/commands/create-first-admin.ts';
import { createUser, passwordKey } from '../../src/commands/create-user.ts';
import type { CreateUser } from '../../src/commands/create-user.ts';
import { logIn, WrongCredentials } from '../../src/commands/log-in.ts';
import type { LogInDeps } from '../../src/commands/log-in.ts';
import { CommandRefused } from '../../src/core/executor.ts';
import type { CommandContext } from '../../src/core/executor.ts';
import { createPasswords } from '../../src/core/passwords.ts';
import type { Passwords } from '../../src/core/passwords.ts';
import { createSessions } from '../../src/core/sessions.ts';
import { createTokens } from '../../src/core/tokens.ts';
import { TenantId } from '../../src/domain/ids.ts';
import { Email, user } from '../../src/domain/user.ts';
import { createFakeExecutor } from '../support/fake-executor.ts';
import type { FakeExecutor } from '../support/fake-executor.ts';
import { everyTry } from '../support/password-tries.ts';
import { rejection } from '../support/rejection.ts';
import { openTestVault } from '../support/test-vault.ts';

const now = Date.UTC(2026, 0, 1, 0, 0, 0, 500);
const clock = { now: () => now };
const password = 'correct horse';
const ada: CreateUser = {
  tenantId: TenantId.parse('acme'),
  role: 'TenantAdmin',
  email: Email.parse('ada@example.com'),
  name: 'Ada Lovelace',
  password,
};

/** Passwords that cost nothing, for tests of what is done with them. */
const cheapPasswords: Passwords = {
  hash: async (text) => `hash of ${text}`,
  verify: async (text, encoded) => encoded === `hash of ${text}`,
};

function newContext(): CommandContext {
  return { commandId: randomUUID(), correlationId: randomUUID(), actor: { id: 'usr_admin', face: 'test' } };
}

describe('commands of users', () => {
  let deps: LogInDeps & { executor: FakeExecutor };
  const login = (as: string, word: string) =>
    logIn(deps, { username: as, password: word, network: '192.0.2.1', lifetimeSeconds: 3600 });

  beforeEach(async () => {
    const vault = await openTestVault(clock);
    deps = {
      ...{ vault, clock, executor: createFakeExecutor(), passwords: cheapPasswords, passwordTries: everyTry },
      sessions: createSessions(vault, clock),
      tokens: createTokens(createSecretKey(randomBytes(32)), clock),
    };
  });
  afterEach(() => deps.vault.close());

  /** The dependencies of a process that dies at its nth step: every append and every write to the vault is one. */
  function dyingAt(step: number): { readonly deps: LogInDeps; readonly survived: () => boolean } {
    let left = step;
    function live(): void {
      left -= 1;
      if (left < 0) throw new Error('crash');
    }
    const { executor, vault } = deps;
    return {
      survived: () => left >= 0,
      deps: {
        ...deps,
        executor: {
          load: (aggregate, id) => executor.load(aggregate, id),
          execute: async (command) => {
            live();
            return executor.execute(command);
          },
        },
        vault: {
          ...vault,
          put: async (...put) => {
            live();
            await vault.put(...put);
          },
          putIfAbsent: async (...put) => {
            live();
            return vault.putIfAbsent(...put);
          },
        },
      },
    };
  }

  describe('creating a user', () => {
    it('lets them log in, and leaves no personal data or password in the log', async () => {
      const { userId, position } = await createUser(deps, newContext(), ada);
      expect(userId).to.match(/^usr_[0-9a-f]{20}$/);
      expect(position).not.to.be.null;
      const { user } = await login('ada@example.com', password);
      expect(user).to.deep.equal({ userId, username: ada.email, tenantId: 'acme', role: 'TenantAdmin' });
      const written = JSON.stringify(
        deps.executor.streams().map((stream) => [stream, deps.executor.events(stream)]),
      );
      for (const planted of ['ada@example.com', 'Ada Lovelace', password])
        expect(written).not.to.contain(planted);
      const created = deps.executor.events(`user-${userId}`)[0] as { data?: { email: string; name: string } };
      expect(await deps.vault.openFor(userId, created.data!.email)).to.equal('ada@example.com');
      expect(await deps.vault.openFor(userId, created.data!.name)).to.equal('Ada Lovelace');
    });

    it('does the same command once, and takes back no password that was set since', async () => {
      const context = newContext();
      const first = await createUser(deps, context, ada);
      const events = deps.executor.events(`user-${first.userId}`);
      await deps.vault.put(
        passwordKey(first.userId),
        Buffer.from(await cheapPasswords.hash('changed since')),
      );
      expect((await createUser(deps, context, ada)).userId).to.equal(first.userId);
      expect(deps.executor.events(`user-${first.userId}`)).to.deep.equal(events);
      await login('ada@example.com', 'changed since');
    });

    it('goes on after a crash at any step, by the same command or by another', async () => {
      for (let step = 0; ; step += 1) {
        const email = Email.parse(`ada${step}@example.com`);
        const dying = dyingAt(step);
        const context = newContext();
        await createUser(dying.deps, context, { ...ada, email }).catch(() => undefined);
        if (dying.survived()) {
          expect(step).to.equal(3);
          break;
        }
        const retried = step % 2 === 0 ? context : newContext();
        const { userId } = await createUser(deps, retried, { ...ada, email });
        expect((await login(email, password)).user.userId).to.equal(userId);
      }
    });

    it('gives an address to one of two, whoever stopped half-way', async () => {
      const slow = newContext();
      await rejection(createUser(dyingAt(2).deps, slow, ada));
      const { userId } = await createUser(deps, newContext(), { ...ada, password: 'another one' });
      const error = await rejection(createUser(deps, slow, ada));
      expect(error).to.be.instanceOf(CommandRefused).and.have.nested.property('refusal.refused', 'Conflict');
      expect((await login('ada@example.com', 'another one')).user.userId).to.equal(userId);
      expect(await rejection(login('ada@example.com', password))).to.be.instanceOf(WrongCredentials);
    });

    it('gives an address to the third when the first two stopped half-way, each refused from then on', async () => {
      const [first, second] = [newContext(), newContext()];
      await rejection(createUser(dyingAt(2).deps, first, ada));
      await rejection(createUser(dyingAt(3).deps, second, ada));
      expect(await rejection(createUser(deps, first, ada))).to.have.nested.property(
        'refusal.refused',
        'Conflict',
      );
      const { userId } = await createUser(deps, newContext(), ada);
      expect(await rejection(createUser(deps, second, ada))).to.have.nested.property(
        'refusal.refused',
        'Conflict',
      );
      expect((await login('ada@example.com', password)).user.userId).to.equal(userId);
    });

    it('refuses an address that is taken, however it is spelled', async () => {
      await createUser(deps, newContext(), ada);
      const error = await rejection(
        createUser(deps, newContext(), { ...ada, email: Email.parse('ADA@Example.com') }),
      );
      expect(error).to.have.nested.property('refusal.refused', 'Conflict');
      expect(error).to.have.nested.property('refusal.details[0].field', 'email');
    });

    it('stores nothing of what breaks a rule', async () => {
      const wrong: CreateUser[] = [
        { ...ada, password: 'short' },
        { ...ada, role: 'PlatformAdmin' },
      ];
      for (const input of wrong) {
        const error = await rejection(createUser(deps, newContext(), input));
        expect(error).to.have.nested.property('refusal.refused', 'Invalid');
      }
      expect(deps.executor.streams()).to.deep.equal([]);
      expect(await deps.vault.names('password')).to.deep.equal([]);
    });
  });

  describe('logging in', () => {
    it('answers a token of a session that lives, both ending at the whole second', async () => {
      const { userId } = await createUser(deps, newContext(), ada);
      const { token, expiresAt } = await login(' Ada@EXAMPLE.com', password);
      const claims = await deps.tokens.verify(token);
      expect(claims).to.include({ userId, tenantId: 'acme', role: 'TenantAdmin' });
      expect(claims.expiresAt).to.deep.equal(expiresAt);
      expect(expiresAt.toISOString()).to.equal('2026-01-01T01:00:00.000Z');
      expect(await deps.sessions.isAlive(claims)).to.be.true;
      await deps.sessions.end(claims);
      expect(await deps.sessions.isAlive(claims)).to.be.false;
    });

    it('answers the same, after the same work, to an unknown user and to a wrong password', async () => {
      await createUser(deps, newContext(), ada);
      const disabled = await createUser(deps, newContext(), {
        ...ada,
        email: Email.parse('bob@example.com'),
      });
      await deps.executor.execute({
        ...{ aggregate: user, id: disabled.userId, tenant: null, context: newContext() },
        decide: () => [{ type: 'UserDisabled' as const, data: { userId: disabled.userId } }],
      });
      const asked: (string | null)[] = [];
      let work: string[] = [];
      const passwords: Passwords = {
        ...cheapPasswords,
        verify: (text, encoded) => {
          asked.push(encoded);
          work.push('verify');
          return cheapPasswords.verify(text, encoded);
        },
      };
      const { executor, vault } = deps;
      const watched: LogInDeps = {
        ...deps,
        passwords,
        executor: {
          ...executor,
          load: (aggregate, id) => {
            work.push(`load ${aggregate.name}`);
            return executor.load(aggregate, id);
          },
        },
        vault: {
          ...vault,
          get: (key) => {
            work.push(`get ${key.kind}`);
            return vault.get(key);
          },
        },
      };
      const messages = new Set<string>();
      const works = new Set<string>();
      for (const username of ['ada@example.com', 'bob@example.com', 'eve@example.com', 'no address', '']) {
        work = [];
        const attempt = logIn(watched, {
          username,
          password: 'wrong one',
          network: '192.0.2.1',
          lifetimeSeconds: 60,
        });
        const error = await rejection(attempt);
        expect(error).to.be.instanceOf(WrongCredentials);
        messages.add(String(error));
        works.add(work.join(', '));
      }
      expect(messages.size).to.equal(1);
      expect([...works]).to.deep.equal(['load email, load user, get password, verify']);
      expect(asked).to.deep.equal([`hash of ${password}`, null, null, null, null]);
    });

    it('does not know a user whose creation stopped half-way', async () => {
      await rejection(createUser(dyingAt(2).deps, newContext(), ada));
      expect(await rejection(login('ada@example.com', password))).to.be.instanceOf(WrongCredentials);
    });

    it('works with real hashes', async () => {
      deps = { ...deps, passwords: createPasswords() };
      await createUser(deps, newContext(), ada);
      await login('ada@example.com', password);
      expect(await rejection(login('ada@example.com', 'wrong one'))).to.be.instanceOf(WrongCredentials);
    });
  });

  describe('the first administrator', () => {
    const email = Email.parse('admin@example.com');
    type Announced = { readonly email: Email; readonly randomPassword: string | null };
    let announced: Announced[];
    const announce = (admin: Announced) => void announced.push(admin);
    beforeEach(() => {
      announced = [];
    });

    it('gets the password of the settings, which is not announced', async () => {
      await createFirstAdmin(deps, { email, password: 'from the settings', announce });
      expect(announced).to.deep.equal([{ email, randomPassword: null }]);
      const { user } = await login(email, 'from the settings');
      expect(user).to.include({ role: 'PlatformAdmin', tenantId: 'platform' });
    });

    it('gets a random password, announced once', async () => {
      await createFirstAdmin(deps, { email, password: null, announce });
      await createFirstAdmin(deps, { email, password: null, announce });
      await createFirstAdmin(deps, { email: ada.email, password, announce });
      expect(announced).to.have.length(1);
      expect(announced[0]!.randomPassword).to.have.length.at.least(20);
      await login(email, announced[0]!.randomPassword!);
      expect(await rejection(login(ada.email, password))).to.be.instanceOf(WrongCredentials);
    });

    it('can log in with what was announced last, whatever step an earlier start died at', async () => {
      for (let step = 0; ; step += 1) {
        deps = { ...deps, executor: createFakeExecutor() };
        const dying = dyingAt(step);
        await createFirstAdmin(dying.deps, { email, password: null, announce }).catch(() => undefined);
        if (dying.survived()) {
          expect(step).to.equal(6);
          break;
        }
        await createFirstAdmin(deps, { email, password: null, announce });
        await login(email, announced.at(-1)!.randomPassword!);
        expect(deps.executor.events('platform-setup')).to.have.length(1);
      }
    });

    it('refuses a password that breaks the rules, with nothing stored', async () => {
      const error = await rejection(createFirstAdmin(deps, { email, password: 'short', announce }));
      expect(error).to.have.nested.property('refusal.refused', 'Invalid');
      expect(deps.executor.streams()).to.deep.equal([]);
      expect(announced).to.deep.equal([]);
    });
  });
});
