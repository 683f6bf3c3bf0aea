/** A person who is to be forgotten: the key to all that is personal is destroyed, in the vault and beside the backups. */
import type { Sessions } from '../core/sessions.ts';
import { step } from '../core/context.ts';
import { CommandRefused, type CommandContext, type Executor } from '../core/executor.ts';
import { emailReservation, releaseEmail } from '../domain/email-reservation.ts';
import type { UserId } from '../domain/ids.ts';
import { knownUser, user } from '../domain/user.ts';
import { forgetUser as decideToForget, noSuchUser, type UserManager } from '../domain/user-changes.ts';
import type { Position } from '../ports/event-store.ts';
import type { Vault } from '../ports/vault.ts';
import { changeUser } from './change-user.ts';
import { passwordKey } from './create-user.ts';

export interface ForgetUserDeps {
  readonly executor: Executor;
  readonly vault: Pick<Vault, 'openFor' | 'sealFor' | 'fingerprint' | 'forget' | 'delete' | 'names'>;
  readonly sessions: Pick<Sessions, 'endAllOf'>;
  /** Makes the file of personal keys beside the backups anew. @throws when it cannot */
  readonly renewKeyFile: () => Promise<void>;
}

/** Kinds of the vault that may hold something of anybody: answers that are kept for repetitions. */
const keptAnswers = 'command-answer';

/**
 * When it resolves, nobody can read the person's name or address any more: in the log, in read models, in backups that are restored with
 * the key file beside them. What was written stays, and what was sealed stays as it was sealed. The same command again goes on where it
 * stopped.
 * @throws {CommandRefused} NotFound; Conflict for the last PlatformAdmin
 */
export async function forgetUser(
  deps: ForgetUserDeps,
  context: CommandContext,
  { userId, by }: { readonly userId: UserId; readonly by: UserManager },
): Promise<{ readonly position: Position | null }> {
  const { executor, vault, sessions } = deps;
  const known = knownUser((await executor.load(user, userId)).state);
  if (!known) throw new CommandRefused(noSuchUser(userId));
  if (known.status !== 'Forgotten')
    await changeUser(deps, step(context, 'disable'), { userId, by, change: { disabled: true } });
  // First what only the address leads to: without the key nobody could find it.
  const email = await vault.openFor(userId, known.email);
  if (email !== null) await releaseAddress(deps, context, userId, email);
  await vault.delete(passwordKey(userId));
  await sessions.endAllOf(userId);
  for (const name of await vault.names(keptAnswers)) await vault.delete({ kind: keptAnswers, name });
  const { position } = await executor.execute({
    ...{ aggregate: user, id: userId, tenant: known.tenantId, context: step(context, 'forget') },
    decide: (now) => decideToForget(now, userId),
  });
  await vault.forget(userId);
  await deps.renewKeyFile();
  return { position };
}

async function releaseAddress(
  { executor, vault }: ForgetUserDeps,
  context: CommandContext,
  userId: UserId,
  email: string,
): Promise<void> {
  const account = await vault.fingerprint('email', email);
  await executor.execute({
    ...{ aggregate: emailReservation, id: account, tenant: null, context: step(context, 'release') },
    decide: (now) => releaseEmail(now, userId),
  });
  for (const name of await vault.names('known-network', account))
    await vault.delete({ kind: 'known-network', name });
}
