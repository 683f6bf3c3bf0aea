/** A user whom somebody makes: within what is his to decide about, in a tenant that exists. */
import { CommandRefused, type CommandContext } from '../core/executor.ts';
import { platformTenant } from '../domain/ids.ts';
import { refuse, type Refusal } from '../domain/refusal.ts';
import { noSuchTenant, tenant } from '../domain/tenant.ts';
import { knownUser, user, type KnownUser } from '../domain/user.ts';
import { refuseGrant, refuseMisplacedRole, type UserManager } from '../domain/user-changes.ts';
import type { UserId } from '../domain/ids.ts';
import type { Position } from '../ports/event-store.ts';
import { createUser, refuseWeak, type CreateUser, type CreateUserDeps } from './create-user.ts';

/**
 * @throws {CommandRefused} Forbidden for a role that is not the manager's to give; NotFound for an unknown tenant; else as
 *   `createUser` does
 */
export async function addUser(
  deps: CreateUserDeps,
  context: CommandContext,
  by: UserManager,
  input: CreateUser,
): Promise<{ readonly userId: UserId; readonly user: KnownUser; readonly position: Position | null }> {
  const refusal =
    refuseGrant(by, input.role) ??
    refuseMisplacedRole(input) ??
    refuseWeak(input.password) ??
    (await refuseUnknownTenant(deps, input));
  if (refusal) throw new CommandRefused(refusal);
  const { userId, position } = await createUser(deps, context, input);
  const created = knownUser((await deps.executor.load(user, userId)).state);
  if (!created) throw new Error(`creating ${userId} created nobody`);
  return { userId, user: created, position };
}

async function refuseUnknownTenant(
  { executor }: CreateUserDeps,
  { tenantId }: CreateUser,
): Promise<Refusal | null> {
  if (tenantId === platformTenant || (await executor.load(tenant, tenantId)).state) return null;
  const message = noSuchTenant(tenantId);
  return refuse('NotFound', message, { field: 'tenantId', message });
}
