/** Secrets of a tenant: set, replaced, deleted (decisions 5, 26). The value goes to the vault, and what was done to the log. */
import { CommandRefused, TooContended, type CommandContext, type Executor } from '../core/executor.ts';
import { conditional } from '../core/precondition.ts';
import { discardValues, sealValue } from '../core/secret-values.ts';
import type { TenantId, UserId } from '../domain/ids.ts';
import { isRefusal, refuse, type Decision } from '../domain/refusal.ts';
import type { SecretName } from '../domain/secret-reference.ts';
import {
  deleteSecret as decideToDelete,
  findSecret,
  secrets,
  setSecret as decideToSet,
  type Secret,
  type SecretEvent,
  type Secrets,
} from '../domain/secrets.ts';
import { noSuchTenant, tenant } from '../domain/tenant.ts';
import type { Clock } from '../ports/clock.ts';
import type { Position } from '../ports/event-store.ts';
import type { Vault } from '../ports/vault.ts';
import { refuseSuspended } from './refuse-suspended.ts';

export interface SecretDeps {
  readonly executor: Executor;
  readonly vault: Pick<Vault, 'putIfAbsent' | 'names' | 'delete'>;
  readonly clock: Pick<Clock, 'now'>;
}

type Context = CommandContext & { readonly userId: UserId };

const mostAttempts = 20;

/**
 * Every call makes a new version, also with the value that is there already: whether it is, nobody is to find out by asking.
 * @throws {CommandRefused} NotFound or Forbidden for the tenant, PreconditionFailed, Conflict for one secret too many; {TooContended}
 */
export async function setSecret(
  { executor, vault, clock }: SecretDeps,
  context: Context,
  {
    tenantId,
    name,
    value,
  }: { readonly tenantId: TenantId; readonly name: SecretName; readonly value: string },
): Promise<{ readonly secret: Secret; readonly position: Position | null }> {
  await refuseMissing(executor, tenantId);
  await refuseSuspended(executor, tenantId);
  const change = { tenantId, name, by: context.userId, at: new Date(clock.now()).toISOString() };
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const { state: before } = await executor.load(secrets, tenantId);
    const early = held(
      context,
      before,
      name,
      decideToSet(before, { ...change, version: before.version + 1 }),
    );
    if (isRefusal(early)) throw new CommandRefused(early);
    const version = await sealValue(vault, tenantId, name, { value, from: before.version + 1 });
    const { state, events, position } = await executor.execute({
      ...{ aggregate: secrets, id: tenantId, tenant: tenantId, context },
      decide: (now) => held(context, now, name, decideToSet(now, { ...change, version })),
    });
    await discardValues(vault, tenantId, name, state);
    const secret = findSecret(state, name);
    if (secret && events.some(({ data }) => data.version === version)) return { secret, position };
  }
  throw new TooContended(`the secrets of ${tenantId} change too often`);
}

/**
 * When it resolves, no value of the secret is left.
 * @throws {CommandRefused} NotFound for tenant or secret, Forbidden, PreconditionFailed
 */
export async function deleteSecret(
  { executor, vault, clock }: SecretDeps,
  context: Context,
  { tenantId, name }: { readonly tenantId: TenantId; readonly name: SecretName },
): Promise<{ readonly position: Position | null }> {
  await refuseMissing(executor, tenantId);
  await refuseSuspended(executor, tenantId);
  // Also where it is gone already: a server that died after the event left its values.
  const discard = async (): Promise<void> =>
    discardValues(vault, tenantId, name, (await executor.load(secrets, tenantId)).state);
  const at = new Date(clock.now()).toISOString();
  const { position } = await executor
    .execute({
      ...{ aggregate: secrets, id: tenantId, tenant: tenantId, context },
      decide: (now) =>
        held(context, now, name, decideToDelete(now, { tenantId, name, by: context.userId, at })),
    })
    .finally(discard);
  return { position };
}

/** Of the tenant's secrets, each one changes by itself. */
function held(
  context: Context,
  state: Secrets,
  name: SecretName,
  decision: Decision<SecretEvent>,
): Decision<SecretEvent> {
  return conditional(context, findSecret(state, name)?.versions[0].version ?? null, decision);
}

async function refuseMissing(executor: Executor, tenantId: TenantId): Promise<void> {
  if ((await executor.load(tenant, tenantId)).state) return;
  throw new CommandRefused(refuse('NotFound', noSuchTenant(tenantId)));
}
