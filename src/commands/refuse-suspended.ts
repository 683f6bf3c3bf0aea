import { CommandRefused, type Executor } from '../core/executor.ts';
import type { TenantId } from '../domain/ids.ts';
import { refuse } from '../domain/refusal.ts';
import { tenant } from '../domain/tenant.ts';

/**
 * What a suspended tenant runs goes on, but it and its users write nothing (decisions 25). The platform's own tenant, which has no
 * stream, is never suspended.
 * @throws {CommandRefused} Forbidden
 */
export async function refuseSuspended(executor: Pick<Executor, 'load'>, tenantId: TenantId): Promise<void> {
  const { state } = await executor.load(tenant, tenantId);
  if (state?.status === 'Suspended')
    throw new CommandRefused(
      refuse('Forbidden', `Tenant ${tenantId} is suspended: a PlatformAdmin can let it write again`),
    );
}
