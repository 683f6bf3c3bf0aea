/** Keys for programs that ask on behalf of a user. */
import { v5 } from 'uuid';
import type { ApiKeys } from '../core/api-keys.ts';
import { CommandRefused, type CommandContext, type Executor } from '../core/executor.ts';
import { ApiKeyId, type UserId } from '../domain/ids.ts';
import { isRefusal, refuse } from '../domain/refusal.ts';
import { noSuchTenant, tenant } from '../domain/tenant.ts';
import { knownUser, user, type ApiKey } from '../domain/user.ts';
import {
  createApiKey as decideToCreate,
  noSuchUser,
  revokeApiKey as decideToRevoke,
} from '../domain/user-changes.ts';
import type { Clock } from '../ports/clock.ts';
import type { Position } from '../ports/event-store.ts';

export interface ApiKeyDeps {
  readonly executor: Executor;
  readonly apiKeys: ApiKeys;
  readonly clock: Pick<Clock, 'now'>;
}

export interface NewApiKey {
  readonly name: string;
  readonly permissions: readonly string[];
  /** Null: it acts wherever its user does. */
  readonly scope: ApiKey['scope'];
  readonly expiresAt: Date;
}

/**
 * @param held the permissions of who asks
 * @returns secret: the key, which is shown once
 * @throws {CommandRefused} Forbidden for permissions beyond those held; Invalid for an end that is past or too far, and for
 *   permissions that do not go with the scope; NotFound for the tenant of a scope
 */
export async function createApiKey(
  { executor, apiKeys, clock }: ApiKeyDeps,
  context: CommandContext,
  userId: UserId,
  held: ReadonlySet<string>,
  { name, permissions, scope, expiresAt }: NewApiKey,
): Promise<{ readonly key: ApiKey; readonly secret: string; readonly position: Position | null }> {
  const keyId = ApiKeyId.parse(`key_${v5('api-key', context.commandId).replaceAll('-', '').slice(0, 20)}`);
  const key: ApiKey = {
    ...{ keyId, name, permissions: [...new Set(permissions)], scope },
    expiresAt: expiresAt.toISOString(),
    createdAt: new Date(clock.now()).toISOString(),
  };
  const { state } = await executor.load(user, userId);
  const early = decideToCreate(state, userId, key, held);
  if (isRefusal(early)) throw new CommandRefused(early);
  if (scope && (await executor.load(tenant, scope.tenant)).state === null) {
    const message = noSuchTenant(scope.tenant);
    throw new CommandRefused(refuse('NotFound', message, { field: 'scope.tenantId', message }));
  }
  // Before the key counts: one that counts can be used.
  const secret = await apiKeys.mint({ userId, keyId }, expiresAt);
  const { position } = await executor.execute({
    ...{ aggregate: user, id: userId, tenant: knownUser(state)?.tenantId ?? null, context },
    decide: (now) => decideToCreate(now, userId, key, held),
  });
  return { key, secret, position };
}

/** When it resolves, the key is refused. @throws {CommandRefused} NotFound, for a key that the user does not have */
export async function revokeApiKey(
  { executor }: Pick<ApiKeyDeps, 'executor'>,
  context: CommandContext,
  userId: UserId,
  keyId: ApiKeyId,
): Promise<{ readonly position: Position | null }> {
  const known = knownUser((await executor.load(user, userId)).state);
  if (!known) throw new CommandRefused(noSuchUser(userId));
  const { position } = await executor.execute({
    ...{ aggregate: user, id: userId, tenant: known.tenantId, context },
    decide: (state) => decideToRevoke(state, keyId),
  });
  return { position };
}
