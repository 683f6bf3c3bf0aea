/** Changes a tenant: what it is called, its bounds, and whether it may write at all. */
import type { CommandContext, Executor } from '../core/executor.ts';
import { conditional } from '../core/precondition.ts';
import type { TenantId } from '../domain/ids.ts';
import { editTenant as decide, tenant, type Tenant, type TenantChanges } from '../domain/tenant.ts';
import type { Clock } from '../ports/clock.ts';
import type { Position } from '../ports/event-store.ts';
import type { Vault } from '../ports/vault.ts';

export interface EditTenantDeps {
  readonly executor: Executor;
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * @returns the tenant as it is now, `contactEmail` sealed; position null when nothing changed
 * @throws {CommandRefused} NotFound, PreconditionFailed
 */
export async function editTenant(
  { executor, vault, clock }: EditTenantDeps,
  context: CommandContext,
  tenantId: TenantId,
  sent: TenantChanges,
): Promise<{ readonly tenant: Tenant; readonly revision: number; readonly position: Position | null }> {
  const { state: known } = await executor.load(tenant, tenantId);
  const contactEmail = known && (await sealedEmail(vault, known, sent.contactEmail));
  const editedAt = new Date(clock.now()).toISOString();
  const { state, revision, position } = await executor.execute({
    ...{ aggregate: tenant, id: tenantId, tenant: tenantId, context },
    decide: (now, at) =>
      conditional(context, at, decide(now, sent, { tenantId, contactEmail, at: editedAt })),
  });
  if (!state || revision === 'none') throw new Error(`editing ${tenantId} left no tenant`);
  return { tenant: state, revision, position };
}

/** The same address sealed twice is two texts, so the one that is stored stands for an address that has not changed. */
async function sealedEmail(
  vault: EditTenantDeps['vault'],
  { tenantId, contactEmail }: Tenant,
  sent: TenantChanges['contactEmail'],
): Promise<string | null | undefined> {
  if (sent === undefined || sent === null) return sent;
  const subject = `tenant:${tenantId}`;
  if (contactEmail !== null && (await vault.openFor(subject, contactEmail)) === sent) return contactEmail;
  return await vault.sealFor(subject, sent);
}
