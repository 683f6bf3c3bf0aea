/** One's own password, for who knows the one that holds. */
import { CommandRefused, type CommandContext, type Executor } from '../core/executor.ts';
import { accountOf, type PasswordTries } from '../core/password-tries.ts';
import type { Passwords } from '../core/passwords.ts';
import type { Session, Sessions } from '../core/sessions.ts';
import { refuse } from '../domain/refusal.ts';
import { knownUser, user } from '../domain/user.ts';
import { changePassword as decideToChange } from '../domain/user-changes.ts';
import type { Position } from '../ports/event-store.ts';
import type { Vault } from '../ports/vault.ts';
import { passwordKey, refuseWeak } from './create-user.ts';

export interface ChangePasswordDeps {
  readonly executor: Executor;
  readonly vault: Pick<Vault, 'get' | 'put' | 'openFor' | 'fingerprint'>;
  readonly passwords: Passwords;
  readonly passwordTries: PasswordTries;
  readonly sessions: Pick<Sessions, 'endAllOf'>;
}

/**
 * Ends all sessions of the user but the one that asks; API keys live on. A wrong current password counts like one at login.
 * @param input.network where it comes from, see PasswordTry
 * @throws {CommandRefused} Invalid, for a wrong current password and a weak new one; RateLimited, when passwords were wrong too
 *   often; {TooBusy} of core/gate.ts
 */
export async function changePassword(
  deps: ChangePasswordDeps,
  context: CommandContext,
  input: {
    readonly session: Session;
    readonly network: string;
    readonly currentPassword: string;
    readonly newPassword: string;
  },
): Promise<{ readonly position: Position | null }> {
  const { executor, vault, passwords, passwordTries, sessions } = deps;
  const { userId, sessionId } = input.session;
  const weak = refuseWeak(input.newPassword, 'newPassword');
  if (weak) throw new CommandRefused(weak);
  const { state } = await executor.load(user, userId);
  const known = knownUser(state);
  const email = known && (await vault.openFor(userId, known.email));
  const account = await accountOf(vault, email ?? userId);
  const hash = await vault.get(passwordKey(userId));
  const isRight = await passwordTries.attempt({ account, network: input.network }, () =>
    passwords.verify(input.currentPassword, hash && Buffer.from(hash).toString()),
  );
  if (!isRight) {
    const message = 'This is not your password';
    throw new CommandRefused(refuse('Invalid', message, { field: 'currentPassword', message }));
  }
  await vault.put(passwordKey(userId), Buffer.from(await passwords.hash(input.newPassword)));
  await sessions.endAllOf(userId, sessionId);
  const { position } = await executor.execute({
    ...{ aggregate: user, id: userId, tenant: known?.tenantId ?? null, context },
    decide: (now) => decideToChange(now, userId),
  });
  return { position };
}
