/** Keeps count of the PlatformAdmins beside the streams of the users themselves, see domain/administrators.ts. */
import { step } from '../core/context.ts';
import type { CommandContext, Executor, Loaded } from '../core/executor.ts';
import {
  administrators,
  administratorsId,
  countAdministrator,
  isAdministrator,
  uncountAdministrator,
} from '../domain/administrators.ts';
import type { UserId } from '../domain/ids.ts';
import type { UserState } from '../domain/user.ts';

/** After what made the user an administrator. @param found the user, as of a revision */
export async function countIfAdministrator(
  executor: Executor,
  context: CommandContext,
  userId: UserId,
  { state, revision }: Loaded<UserState>,
): Promise<void> {
  if (!isAdministrator(state) || revision === 'none') return;
  await executor.execute({
    ...{ aggregate: administrators, id: administratorsId, tenant: null },
    context: step(context, `count as of ${revision}`),
    decide: (known) => countAdministrator(known, userId, revision),
  });
}

/**
 * Before what makes the user none, which must not be appended at another revision than `asOf`.
 * @throws {CommandRefused} Conflict, when nobody else is counted
 */
export async function uncountAdministratorOf(
  executor: Executor,
  context: CommandContext,
  userId: UserId,
  asOf: number,
): Promise<void> {
  await executor.execute({
    ...{ aggregate: administrators, id: administratorsId, tenant: null },
    context: step(context, `uncount as of ${asOf}`),
    decide: (known) => uncountAdministrator(known, userId, asOf),
  });
}
