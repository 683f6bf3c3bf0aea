/** A new user: reserves the e-mail address, stores the password, then says that the user exists. */
import { v5 } from 'uuid';
import type { CommandContext, Executor } from '../core/executor.ts';
import { CommandRefused } from '../core/executor.ts';
import { Password } from '../core/passwords.ts';
import type { Passwords } from '../core/passwords.ts';
import { emailReservation, reserveEmail } from '../domain/email-reservation.ts';
import { UserId } from '../domain/ids.ts';
import type { TenantId } from '../domain/ids.ts';
import type { Role } from '../domain/permissions.ts';
import { refuse } from '../domain/refusal.ts';
import type { Refusal } from '../domain/refusal.ts';
import {
  abandonCreation,
  createUser as decideToCreate,
  emailInUse,
  refuseMisplaced,
  user,
} from '../domain/user.ts';
import type { Email } from '../domain/user.ts';
import type { Position } from '../ports/event-store.ts';
import type { Vault, VaultKey } from '../ports/vault.ts';
import { countIfAdministrator } from './count-administrators.ts';

export interface CreateUserDeps {
  readonly executor: Executor;
  readonly vault: Vault;
  readonly passwords: Passwords;
}

export interface CreateUser {
  readonly tenantId: TenantId;
  readonly role: Role;
  readonly email: Email;
  readonly name: string | null;
  readonly password: string;
}

/** Where the vault keeps a user's password, as `Passwords.hash` writes it. */
export function passwordKey(userId: UserId): VaultKey {
  return { kind: 'password', name: userId };
}

/**
 * The same command again goes on where it stopped, and changes no password that was set since.
 * @returns position: null when the user was there already
 * @throws {CommandRefused} Conflict when the address is another's, Invalid by the rules of passwords and roles
 */
export async function createUser(
  deps: CreateUserDeps,
  context: CommandContext,
  input: CreateUser,
): Promise<{ readonly userId: UserId; readonly position: Position | null }> {
  const { executor, vault, passwords } = deps;
  const { tenantId, role, email, name, password } = input;
  // Before anything is reserved or stored.
  const refusal = refuseWeak(password) ?? refuseMisplaced(input);
  if (refusal) throw new CommandRefused(refusal);
  const userId = UserId.parse(`usr_${v5('user', context.commandId).replaceAll('-', '').slice(0, 20)}`);
  // The address went to another while this command had stopped half-way: it must not take it back.
  const { status } = (await executor.load(user, userId)).state;
  if (status === 'Abandoned') throw new CommandRefused(emailInUse());
  const hash = await passwords.hash(password);

  await reserve(deps, context, email, userId);
  // Before the user exists: a user who exists can log in.
  await vault.putIfAbsent(passwordKey(userId), Buffer.from(hash));
  const newUser = {
    ...{ userId, tenantId, role },
    email: await vault.sealFor(userId, email),
    name: name === null ? null : await vault.sealFor(userId, name),
  };
  const created = await executor.execute({
    ...{ aggregate: user, id: userId, tenant: tenantId, context },
    decide: (state) => decideToCreate(state, newUser),
  });
  await countIfAdministrator(executor, context, userId, created);
  return { userId, position: created.position };
}

/** @param field as the caller wrote it */
export function refuseWeak(password: string, field = 'password'): Refusal | null {
  const message = Password.safeParse(password).error?.issues[0]?.message;
  return message === undefined ? null : refuse('Invalid', message, { field, message });
}

/**
 * A holder who does not exist reserved the address and then stopped, or is slower than we are: its stream decides which of
 * the two goes on.
 */
async function reserve(
  { executor, vault }: CreateUserDeps,
  context: CommandContext,
  email: Email,
  userId: UserId,
): Promise<void> {
  const id = await vault.fingerprint('email', email);
  const { holder } = (await executor.load(emailReservation, id)).state;
  const other = holder === userId ? null : holder;
  if (other !== null) {
    await executor.execute({ aggregate: user, id: other, tenant: null, context, decide: abandonCreation });
  }
  await executor.execute({
    ...{ aggregate: emailReservation, id, tenant: null, context },
    decide: (state) => reserveEmail(state, userId, other),
  });
}
