/** What the kernel needs from the rest of the server; the container provides it. */
import type { Logger } from 'pino';
import type { Consistency } from '../../core/consistency.ts';
import type { Idempotency } from '../../core/idempotency.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Principal } from './principal.ts';
import type { RateLimiting } from './rate-limiting.ts';

export interface HttpServices {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whose token it is. @throws {TokenRefused} when it is not good, or its session has ended */
  readonly authenticate: (token: string) => Promise<Principal>;
  /** Whose API key it is, and what it may do. @throws {ApiKeyRefused} when it does not hold */
  readonly authenticateKey: (key: string) => Promise<Principal>;
  readonly consistency: Consistency;
  readonly idempotency: Idempotency;
  readonly rateLimiting: RateLimiting;
  /** Whether a connection from this address is a proxy whose `X-Forwarded-For` is believed. */
  readonly isTrustedProxy: (address: string) => boolean;
  /** Largest body in bytes; default 1 MiB. */
  readonly maxBodyBytes?: number;
}
