/** The tenant's quota while a deployment is asked for: looked at first, claimed before anything is recorded, given back when refused. */
import { step } from '../core/context.ts';
import { type CommandContext, CommandRefused, type Executor } from '../core/executor.ts';
import type { DeploymentId, TenantId } from '../domain/ids.ts';
import {
  type AskedQuota,
  quota,
  refuseExcess,
  refuseHaste,
  release,
  reserve,
  withoutOwn,
} from '../domain/quota.ts';
import type { Refusal } from '../domain/refusal.ts';
import { tenant } from '../domain/tenant.ts';
import type { Clock } from '../ports/clock.ts';

export interface QuotaDeps {
  readonly executor: Executor;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Before anything else of the request is looked at (decisions 14). Decided for good when the quota is reserved.
 * @throws {CommandRefused} RateLimited
 */
export async function refuseHasteOf(
  { executor, clock }: QuotaDeps,
  tenantId: TenantId,
  deploymentId: DeploymentId,
): Promise<void> {
  const { state: host } = await executor.load(tenant, tenantId);
  if (!host) return;
  const { state } = await executor.load(quota, tenantId);
  refuseIf(refuseHaste(withoutOwn(state, deploymentId), host.rateLimits, clock.now()));
}

/**
 * Spares the slot a claim that would be released at once.
 * @throws {CommandRefused} Conflict
 */
export async function refuseExcessOf(
  { executor }: QuotaDeps,
  tenantId: TenantId,
  asked: Pick<AskedQuota, 'deploymentId' | 'slot' | 'plugin' | 'cpu' | 'memoryMB'>,
): Promise<void> {
  const { state: host } = await executor.load(tenant, tenantId);
  if (!host) return;
  const { state } = await executor.load(quota, tenantId);
  refuseIf(refuseExcess(withoutOwn(state, asked.deploymentId).reservations, asked, host.quotas));
}

function refuseIf(refusal: Refusal | null): void {
  if (refusal) throw new CommandRefused(refusal);
}

/**
 * Two requests that race for the last place meet at the stream's revision: one of them is refused.
 * @throws {CommandRefused} RateLimited or Conflict
 */
export async function reserveQuota(
  { executor, clock }: QuotaDeps,
  context: CommandContext,
  tenantId: TenantId,
  asked: AskedQuota,
): Promise<void> {
  const { state: host } = await executor.load(tenant, tenantId);
  if (!host) return;
  await executor.execute({
    ...{ aggregate: quota, id: tenantId, tenant: tenantId },
    context: step(context, `reserve quota over fence ${asked.fence}`),
    decide: (state) => reserve(state, asked, host, clock.now()),
  });
}

/** For a deployment that was refused after all. */
export async function releaseQuota(
  { executor }: QuotaDeps,
  context: CommandContext,
  tenantId: TenantId,
  { deploymentId, fence }: { readonly deploymentId: DeploymentId; readonly fence: number },
): Promise<void> {
  await executor.execute({
    ...{ aggregate: quota, id: tenantId, tenant: tenantId },
    context: step(context, `release quota over fence ${fence}`),
    decide: (state) => release(state, deploymentId, 'Refused'),
  });
}
