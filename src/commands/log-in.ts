/** Logging in: e-mail address and password for a session and its token. */
import type { Executor } from '../core/executor.ts';
import { accountOf, type PasswordTries } from '../core/password-tries.ts';
import type { Passwords } from '../core/passwords.ts';
import type { Sessions } from '../core/sessions.ts';
import type { Tokens } from '../core/tokens.ts';
import { emailReservation } from '../domain/email-reservation.ts';
import { UserId, type TenantId } from '../domain/ids.ts';
import type { Role } from '../domain/permissions.ts';
import { Email, user } from '../domain/user.ts';
import type { Clock } from '../ports/clock.ts';
import type { Vault } from '../ports/vault.ts';
import { passwordKey } from './create-user.ts';

export interface LogInDeps {
  readonly executor: Executor;
  readonly vault: Vault;
  readonly passwords: Passwords;
  readonly passwordTries: PasswordTries;
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly clock: Pick<Clock, 'now'>;
}

export interface LoggedIn {
  readonly token: string;
  readonly expiresAt: Date;
  readonly user: {
    readonly userId: UserId;
    readonly username: Email;
    readonly tenantId: TenantId;
    readonly role: Role;
  };
}

/** No such user, or not their password: which of the two is not said (decisions 11). Faces answer 401. */
export class WrongCredentials extends Error {
  override readonly name = 'WrongCredentials';
}

/**
 * @param input.username the e-mail address; @param input.network where it comes from, see PasswordTry
 * @param input.lifetimeSeconds of session and token: the face's choice
 * @throws {WrongCredentials}; {CommandRefused} RateLimited, when passwords were wrong too often; {TooBusy} of core/gate.ts
 */
export async function logIn(
  deps: LogInDeps,
  input: {
    readonly username: string;
    readonly password: string;
    readonly network: string;
    readonly lifetimeSeconds: number;
  },
): Promise<LoggedIn> {
  const { executor, vault, passwords, passwordTries, sessions, tokens, clock } = deps;
  const email = Email.safeParse(input.username).data;
  const account = await accountOf(vault, email ?? input.username);
  const found = await findUser(deps, account);
  // A user who is not there is asked for like one who is: it must take as long.
  const hash = await vault.get(passwordKey(found?.userId ?? nobody));
  const isRight = await passwordTries.attempt({ account, network: input.network }, () =>
    passwords.verify(input.password, found && hash && Buffer.from(hash).toString()),
  );
  if (!email || !found || !hash || !isRight)
    throw new WrongCredentials('the e-mail address or the password is wrong');

  // Whole seconds: the answer and the token name the same moment.
  const expiresAt = new Date((Math.floor(clock.now() / 1000) + input.lifetimeSeconds) * 1000);
  const { userId, tenantId, role } = found;
  const { sessionId } = await sessions.open(userId, expiresAt);
  // Who disabled the user or changed the password meanwhile may have looked for sessions before this one was there.
  const hashNow = await vault.get(passwordKey(userId));
  const { state } = await executor.load(user, userId);
  if (state.status !== 'Active' || !hashNow || !Buffer.from(hash).equals(hashNow)) {
    await sessions.end({ userId, sessionId });
    throw new WrongCredentials('the user or the password changed meanwhile');
  }
  const token = await tokens.sign({ userId, tenantId, role, sessionId, expiresAt });
  return { token, expiresAt, user: { ...found, username: email } };
}

const nobody = UserId.parse('usr_nobody');

async function findUser(
  { executor }: LogInDeps,
  account: string,
): Promise<Omit<LoggedIn['user'], 'username'> | null> {
  const { holder } = (await executor.load(emailReservation, account)).state;
  const { state } = await executor.load(user, holder ?? nobody);
  if (holder === null || state.status !== 'Active') return null;
  return { userId: holder, tenantId: state.tenantId, role: state.role };
}
