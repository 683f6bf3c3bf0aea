/** How the instances of a deployment are asked how they are. Defaults are those of Kubernetes probes. */
import { z } from 'zod';
import type { Violations } from './parse.ts';

const thresholds = {
  /** 1 to 3600. */
  intervalSeconds: z.int().min(1).max(3600),
  /** 1 to 60, never longer than the interval. */
  timeoutSeconds: z.int().min(1).max(60),
  /** Failures in a row that make an instance unhealthy: 1 to 10. */
  failureThreshold: z.int().min(1).max(10),
  /** Passes in a row that make it ready: 1 to 10. */
  successThreshold: z.int().min(1).max(10),
};

export const HealthCheck = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('HttpEndpoint'), httpEndpoint: z.string(), ...thresholds }),
  z.strictObject({ type: z.literal('Heartbeat'), ...thresholds }),
]);
export type HealthCheck = z.output<typeof HealthCheck>;

/** As a caller writes it; everything may be left out. */
export interface HealthCheckInput {
  readonly type?: string | undefined;
  readonly httpEndpoint?: string | undefined;
  readonly intervalSeconds?: number | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly failureThreshold?: number | undefined;
  readonly successThreshold?: number | undefined;
}

/** Violations are named `healthCheck.<field>`. */
export function parseHealthCheck(input: HealthCheckInput, wrong: Violations): HealthCheck {
  const intervalSeconds = wrong.integer('healthCheck.intervalSeconds', input.intervalSeconds, 10, 1, 3600);
  const common = {
    intervalSeconds,
    timeoutSeconds: wrong.integer(
      'healthCheck.timeoutSeconds',
      input.timeoutSeconds,
      1,
      1,
      Math.min(60, intervalSeconds),
    ),
    failureThreshold: wrong.integer('healthCheck.failureThreshold', input.failureThreshold, 3, 1, 10),
    successThreshold: wrong.integer('healthCheck.successThreshold', input.successThreshold, 1, 1, 10),
  };
  const type = input.type ?? 'Heartbeat';
  const path = input.httpEndpoint;
  if (type === 'Heartbeat') {
    if (path !== undefined) wrong.add('healthCheck.httpEndpoint', 'belongs to the type HttpEndpoint');
    return { type, ...common };
  }
  if (type !== 'HttpEndpoint') {
    wrong.add('healthCheck.type', 'must be HttpEndpoint or Heartbeat');
    return { type: 'Heartbeat', ...common };
  }
  if (path === undefined) wrong.add('healthCheck.httpEndpoint', 'is required by the type HttpEndpoint');
  else if (!isPath(path)) {
    wrong.add('healthCheck.httpEndpoint', 'must be a path that starts with one /, without scheme or host');
  }
  return { type, httpEndpoint: path ?? '/', ...common };
}

/** A path alone, or a tenant could make the platform's prober ask a host of its choice. */
function isPath(text: string): boolean {
  return text.length <= 500 && /^\/(?![/\\])[\x21-\x7e]*$/.test(text) && !/[\\#]/.test(text);
}

/** After this without a report an instance is late. */
export function overdueAfterMs(check: HealthCheck): number {
  return (check.intervalSeconds + check.timeoutSeconds) * 1000;
}

/** After this without a report an instance is Unknown: three intervals and a time-out. */
export function staleAfterMs(check: HealthCheck): number {
  return (3 * check.intervalSeconds + check.timeoutSeconds) * 1000;
}

/**
 * Canaries silent for this long, while others report, are a failure: five minutes or five intervals. But not before the old instances
 * would have fallen silent too, had whoever watches both stopped at once: some are asked less often than others.
 * @param old of those that the canaries are compared with; null: there are none
 */
export function lostAfterMs(check: HealthCheck, old: HealthCheck | null): number {
  const alike = old === null ? 0 : staleAfterMs(old) + staleAfterMs(check);
  return Math.max(300_000, 5_000 * check.intervalSeconds, alike);
}

/** Passes that each canary needs in a stage before the next one: three, or as many as failures would end it. */
export function passesNeeded(check: HealthCheck): number {
  return Math.max(3, check.failureThreshold);
}
