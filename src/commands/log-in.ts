/** Logging in: e-mail address and password for a session and its token. */
import type { Executor } from '../core/executor.ts';
import type { Passwords } from '../core/passwords.ts';
import type { Sessions } from '../core/sessions.ts';
import type { Tokens } from '../core/tokens.ts';
import { emailReservation } from '../domain/email-reservation.ts';
import type { TenantId, UserId } from '../domain/ids.ts';
import type { Role } from '../domain/permissions.ts';
import { Email, user } from '../domain/user.ts';
import type { Clock } from '../ports/clock.ts';
import type { Vault } from '../ports/vault.ts';
import { passwordKey } from './create-user.ts';

export interface LogInDeps {
  readonly executor: Executor;
  readonly vault: Vault;
  readonly passwords: Passwords;
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
 * @param input.username the e-mail address; @param input.lifetimeSeconds of session and token: the face's choice
 * @throws {WrongCredentials}; {TooBusy} of core/gate.ts
 */
export async function logIn(
  deps: LogInDeps,
  input: { readonly username: string; readonly password: string; readonly lifetimeSeconds: number },
): Promise<LoggedIn> {
  const { vault, passwords, sessions, tokens, clock } = deps;
  const found = await findUser(deps, input.username);
  const hash = found && (await vault.get(passwordKey(found.userId)));
  const matches = await passwords.verify(input.password, hash && Buffer.from(hash).toString());
  if (!found || !matches) throw new WrongCredentials('the e-mail address or the password is wrong');

  // Whole seconds: the answer and the token name the same moment.
  const expiresAt = new Date((Math.floor(clock.now() / 1000) + input.lifetimeSeconds) * 1000);
  const { userId, tenantId, role } = found;
  const { sessionId } = await sessions.open(userId, expiresAt);
  // Who disabled the user or changed the password meanwhile may have looked for sessions before this one was there.
  const hashNow = await vault.get(passwordKey(userId));
  const { state } = await deps.executor.load(user, userId);
  if (state.status !== 'Active' || !hash || !hashNow || !Buffer.from(hash).equals(hashNow)) {
    await sessions.end({ userId, sessionId });
    throw new WrongCredentials('the user or the password changed meanwhile');
  }
  const token = await tokens.sign({ userId, tenantId, role, sessionId, expiresAt });
  return { token, expiresAt, user: found };
}

async function findUser({ executor, vault }: LogInDeps, username: string): Promise<LoggedIn['user'] | null> {
  const email = Email.safeParse(username);
  if (!email.success) return null;
  const id = await vault.fingerprint('email', email.data);
  const { holder } = (await executor.load(emailReservation, id)).state;
  if (holder === null) return null;
  const { state } = await executor.load(user, holder);
  if (state.status !== 'Active') return null;
  return { userId: holder, username: email.data, tenantId: state.tenantId, role: state.role };
}
