/** Creates a tenant in a namespace of its own. */
import { CommandRefused, type CommandContext, type Executor } from '../core/executor.ts';
import { isRefusal } from '../domain/refusal.ts';
import { namespaceReservation } from '../domain/reservation.ts';
import {
  createTenant as decide,
  namespaceOf,
  namespaceTaken,
  tenant,
  type NewTenant,
  type TenantStatus,
} from '../domain/tenant.ts';
import type { Clock } from '../ports/clock.ts';
import type { Position } from '../ports/event-store.ts';
import type { Vault } from '../ports/vault.ts';
import { withName } from './reserve-name.ts';

export interface CreateTenantDeps {
  readonly executor: Executor;
  readonly vault: Pick<Vault, 'sealFor'>;
  readonly clock: Pick<Clock, 'now'>;
}

export interface CreatedTenant {
  readonly tenantId: string;
  readonly name: string;
  readonly namespace: string;
  readonly status: TenantStatus;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly position: Position | null;
}

/**
 * The namespace is claimed first: when the claim is all that a crash left, repeating the command completes it.
 * @throws {CommandRefused} Conflict, for a known tenant or a taken namespace
 */
export async function createTenant(
  { executor, vault, clock }: CreateTenantDeps,
  context: CommandContext,
  sent: NewTenant,
): Promise<CreatedTenant> {
  const { tenantId } = sent;
  const namespace = namespaceOf(sent);
  const at = new Date(clock.now()).toISOString();
  const contactEmail = sent.contactEmail
    ? await vault.sealFor(`tenant:${tenantId}`, sent.contactEmail)
    : null;
  const act = () =>
    executor.execute({
      aggregate: tenant,
      id: tenantId,
      tenant: tenantId,
      context,
      decide: (state) => decide(state, sent, { contactEmail, at }),
    });
  const claim = {
    reservation: namespaceReservation,
    name: namespace,
    claimant: tenantId,
    tenant: tenantId,
    taken: namespaceTaken,
  };
  const { state: known } = await executor.load(tenant, tenantId);
  const early = decide(known, sent, { contactEmail, at });
  // A tenant that is known already needs no claim: it is refused, or answered again when the command is a repetition.
  if (!known && isRefusal(early)) throw new CommandRefused(early);
  const { state, position } = known
    ? await act()
    : await withName(executor, context, claim, {
        act,
        hasName: async () => (await executor.load(tenant, tenantId)).state?.namespace === namespace,
      });
  if (!state) throw new Error(`creating ${tenantId} created nothing`);
  return {
    tenantId,
    name: state.name,
    namespace: state.namespace,
    status: state.status,
    createdAt: state.createdAt,
    position,
  };
}
