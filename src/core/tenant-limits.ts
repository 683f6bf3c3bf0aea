/** How much a tenant may ask of the server (`rateLimits` of its stream), at the cost of one look a second. */
import { LRUCache } from 'lru-cache';
import { platformTenant } from '../domain/ids.ts';
import { tenant } from '../domain/tenant.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Executor } from './executor.ts';

interface Known {
  readonly readAt: number;
  readonly limit: Promise<number | null>;
}

/** A change of the limit holds after so long at the latest. */
const freshMs = 1_000;
const mostRemembered = 10_000;

/** @returns answers a tenant's `maxRequestsPerMinute`; null: it has none, as `platform` has */
export function createTenantLimits({
  executor,
  clock,
  log,
}: {
  readonly executor: Pick<Executor, 'load'>;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly log: Log;
}): (tenantId: string) => Promise<number | null> {
  const known = new LRUCache<string, Known>({ max: mostRemembered });

  /** A tenant whose stream cannot be read just now is held to what was known of it, and not shut out. */
  async function read(tenantId: string, before: Known | undefined): Promise<number | null> {
    try {
      const { state } = await executor.load(tenant, tenantId);
      return state?.rateLimits.maxRequestsPerMinute ?? null;
    } catch (error) {
      log.warn({ err: error, tenantId }, 'the rate limit of a tenant could not be read');
      return before?.limit ?? null;
    }
  }

  return (tenantId) => {
    if (tenantId === platformTenant) return Promise.resolve(null);
    const now = clock.monotonic();
    const before = known.get(tenantId);
    if (before && now - before.readAt < freshMs) return before.limit;
    const limit = read(tenantId, before);
    known.set(tenantId, { readAt: now, limit });
    return limit;
  };
}
