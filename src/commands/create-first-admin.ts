/** The first start makes the administrator (decisions 9). */
import { randomBytes } from 'node:crypto';
import { v5 } from 'uuid';
import type { CommandContext } from '../core/executor.ts';
import { platformTenant } from '../domain/ids.ts';
import { finishSetup, platformSetup } from '../domain/platform-setup.ts';
import type { Email } from '../domain/user.ts';
import { createUser, passwordKey } from './create-user.ts';
import type { CreateUserDeps } from './create-user.ts';

export interface FirstAdmin {
  readonly email: Email;
  /** Null: a random one. */
  readonly password: string | null;
  /** Tells the person at the start how to log in. The next start calls it again when a crash came before its end. */
  readonly announce: (admin: { readonly email: Email; readonly randomPassword: string | null }) => void;
}

const setupNamespace = '3c7b2a52-6f0e-4a1b-9d3e-2b8f5c1d7e60';

/**
 * Makes the administrator and announces it, once in the life of a platform. Until the announcement is through, every start
 * sets a password that holds, so that no crash leaves an administrator whom nobody can log in as.
 * @throws {CommandRefused} when the password breaks the rules
 */
export async function createFirstAdmin(
  deps: CreateUserDeps,
  { email, password, announce }: FirstAdmin,
): Promise<void> {
  const { executor, vault, passwords } = deps;
  const { done } = (await executor.load(platformSetup, 'setup')).state;
  if (done) return;

  const chosen = password ?? randomBytes(18).toString('base64url');
  // The same user at every attempt, unless the settings name another.
  const commandId = v5(await vault.fingerprint('first-admin', email), setupNamespace);
  const actor = { id: 'process:setup', face: 'start' };
  const context: CommandContext = { commandId, correlationId: commandId, actor };
  const admin = { tenantId: platformTenant, role: 'PlatformAdmin', email, name: null } as const;
  const { userId } = await createUser(deps, context, { ...admin, password: chosen });
  // An attempt before this one may have left another password.
  await vault.put(passwordKey(userId), Buffer.from(await passwords.hash(chosen)));

  announce({ email, randomPassword: password === null ? chosen : null });
  await executor.execute({
    ...{ aggregate: platformSetup, id: 'setup', tenant: null, context },
    decide: (state) => finishSetup(state, userId),
  });
}
