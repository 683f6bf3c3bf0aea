/** How often one may ask (decisions 16): per user and endpoint, per address where nobody is known, and per tenant. */
import { isIPv6 } from 'node:net';
import type { Clock } from '../../ports/clock.ts';
import type { Consumed, RateLimit, RateLimits } from '../../ports/rate-limits.ts';
import type { Principal } from './principal.ts';
import type { Exchange } from './exchange.ts';
import { Problem } from './problem.ts';

/** What a face allows each user on each endpoint. */
export interface FaceLimits {
  readonly reads: RateLimit;
  readonly writes: RateLimit;
}

/** Who asks; an address where nobody is known yet, or nobody is asked for. */
export type Caller = Pick<Principal, 'userId' | 'tenant' | 'scope'> | { readonly address: string };

export interface RateLimiting {
  /**
   * Counts a request, and tells in headers of its answer how things stand with the tightest limit.
   * @param endpoint method and route
   * @param limit of the endpoint; null: it has none
   * @throws {Problem} `RateLimited`
   */
  admit(
    exchange: Pick<Exchange, 'headers'>,
    caller: Caller,
    endpoint: string,
    limit: RateLimit | null,
  ): Promise<void>;
}

export interface RateLimitingOptions {
  readonly rateLimits: RateLimits;
  /** `maxRequestsPerMinute` of a tenant; null: it has none. */
  readonly tenantLimit: (tenantId: string) => Promise<number | null>;
  readonly clock: Pick<Clock, 'now'>;
  /** Whether the limits of endpoints hold (`SLIPWAY_RATE_LIMITS`); a tenant's own always does. */
  readonly perEndpoint: boolean;
}

export function createRateLimiting(options: RateLimitingOptions): RateLimiting {
  const { rateLimits, tenantLimit, clock, perEndpoint } = options;

  return {
    async admit(exchange, caller, endpoint, limit) {
      const isKnown = 'userId' in caller;
      let tightest: Consumed | null = null;
      if (perEndpoint && limit) {
        // One user may have many agents: each counts for itself.
        const who = isKnown ? (caller.scope?.keyId ?? caller.userId) : networkOf(caller.address);
        tightest = await rateLimits.consume(`${who} ${endpoint}`, 1, limit);
        tell(exchange, tightest, clock);
      }
      const points = isKnown ? await tenantLimit(caller.tenant) : null;
      if (!isKnown || points === null) return;
      // After the user's own: what that refuses costs the others of the tenant nothing.
      const shared = await rateLimits.consume(`tenant ${caller.tenant}`, 1, { points, seconds: 60 });
      if (!tightest || isTighter(shared, tightest)) tell(exchange, shared, clock);
    },
  };
}

function isTighter(one: Consumed, other: Consumed): boolean {
  if (!one.allowed || one.remaining < other.remaining) return true;
  return one.remaining === other.remaining && one.resetAt > other.resetAt;
}

/** @throws {Problem} when it is one too many */
function tell(exchange: Pick<Exchange, 'headers'>, consumed: Consumed, clock: Pick<Clock, 'now'>): void {
  const { limit, remaining, resetAt, allowed } = consumed;
  const seconds = Math.max(1, Math.ceil((resetAt - clock.now()) / 1000));
  exchange.headers = {
    ...exchange.headers,
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': String(remaining),
    'X-RateLimit-Reset': String(Math.ceil(resetAt / 1000)),
    'X-RateLimit-Reset-After': String(seconds),
  };
  if (allowed) return;
  throw new Problem('RateLimited', `That was too often; try again in ${seconds} seconds`, {
    headers: { 'Retry-After': String(seconds) },
    exceeded: { limit, resetAt },
  });
}

/** Whoever has one address of IPv6 has 2^64 of them: their first half counts as one. IPv4 is one however it is written. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const parts = (text: string): readonly string[] => (text === '' ? [] : text.split(':'));
  const [before = '', after] = address.replace(/%.*$/, '').split('::');
  const head = parts(before);
  const tail = parts(after ?? '');
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0');
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`;
}
