/** Another name, another role, disabled or enabled again. */
import { CommandRefused, TooContended } from '../core/executor.ts';
import type { CommandContext, Executed, Executor } from '../core/executor.ts';
import { conditional } from '../core/precondition.ts';
import type { Sessions } from '../core/sessions.ts';
import { isAdministrator } from '../domain/administrators.ts';
import type { UserId } from '../domain/ids.ts';
import { isRefusal } from '../domain/refusal.ts';
import { knownUser, user, type KnownUser, type UserEvent, type UserState } from '../domain/user.ts';
import { changeUser as decideToChange, noSuchUser } from '../domain/user-changes.ts';
import type { UserChange, UserManager } from '../domain/user-changes.ts';
import type { ExpectedRevision, Position } from '../ports/event-store.ts';
import type { Vault } from '../ports/vault.ts';
import { countIfAdministrator, uncountAdministratorOf } from './count-administrators.ts';

export interface ChangeUserDeps {
  readonly executor: Executor;
  readonly vault: Pick<Vault, 'sealFor'>;
  readonly sessions: Pick<Sessions, 'endAllOf'>;
}

/** The user's stream went on since it was looked at. */
class Moved extends Error {
  override readonly name = 'Moved';
}

const attempts = 8;

/**
 * When it resolves, nothing that acts for a disabled user is let in any more, and no session has a role that was taken away.
 * @param input.change.name in the clear
 * @throws {CommandRefused} NotFound, also for another tenant's user; Forbidden for a role that is not the manager's to decide
 *   about; PreconditionFailed; Conflict for the last PlatformAdmin; {TooContended}
 */
export async function changeUser(
  deps: ChangeUserDeps,
  context: CommandContext,
  input: { readonly userId: UserId; readonly by: UserManager; readonly change: UserChange },
): Promise<{
  readonly user: KnownUser;
  readonly revision: ExpectedRevision;
  readonly position: Position | null;
}> {
  const { executor, vault, sessions } = deps;
  const { userId, by } = input;
  const { name } = input.change;
  // Refused before anything is sealed: to seal makes a key for whom it is sealed.
  decided((await executor.load(user, userId)).state, input);
  const change =
    typeof name === 'string' ? { ...input.change, name: await vault.sealFor(userId, name) } : input.change;

  const changed = await changeAsSeen(executor, context, { userId, by, change });
  const known = knownUser(changed.state);
  if (!known) throw new CommandRefused(noSuchUser(userId));
  await countIfAdministrator(executor, context, userId, changed);
  // Also when nothing changed: a crash may have come between the change and this.
  if (known.status !== 'Active' || changed.events.some(({ type }) => type === 'UserRoleChanged'))
    await sessions.endAllOf(userId);
  return { user: known, revision: changed.revision, position: changed.position };
}

interface Wanted {
  readonly userId: UserId;
  readonly by: UserManager;
  readonly change: UserChange;
}

function decided(state: UserState, { userId, by, change }: Wanted): readonly UserEvent[] {
  const decision = decideToChange(state, userId, by, change);
  if (isRefusal(decision)) throw new CommandRefused(decision);
  return decision;
}

/** Who ceases to be an administrator is uncounted first, and then changed at the revision at which that was decided. */
async function changeAsSeen(
  executor: Executor,
  context: CommandContext,
  wanted: Wanted,
): Promise<Executed<UserState, UserEvent>> {
  const { userId, by, change } = wanted;
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const { state, revision: seen } = await executor.load(user, userId);
    const after = decided(state, wanted).reduce(user.evolve, state);
    if (isAdministrator(state) && !isAdministrator(after) && seen !== 'none') {
      const refusal = conditional(context, seen, []);
      if (isRefusal(refusal)) throw new CommandRefused(refusal);
      await uncountAdministratorOf(executor, context, userId, seen);
    }
    try {
      return await executor.execute({
        ...{ aggregate: user, id: userId, tenant: knownUser(state)?.tenantId ?? null, context },
        decide: (now, revision) => {
          if (revision !== seen) throw new Moved();
          return conditional(context, revision, decideToChange(now, userId, by, change));
        },
      });
    } catch (error) {
      if (!(error instanceof Moved)) throw error;
    }
  }
  throw new TooContended(`user-${userId}: others were faster ${attempts} times`);
}
