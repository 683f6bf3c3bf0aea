/** Tallies and spans of any kind. Sums are whole numbers, so that adding and taking away is exact. */
import fc from 'fast-check';
import { minuteMs } from '../../../src/domain/health/record.ts';
import type { Span } from '../../../src/domain/health/span.ts';
import type { Tally } from '../../../src/domain/health/tally.ts';
import { newId, request } from '../deployment/samples.ts';

const sum = fc.record({ count: fc.integer({ min: 1, max: 1_000 }), sum: fc.integer({ min: 0, max: 1_000 }) });
const probes = fc
  .tuple(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 500 }))
  .map(([count, failed]) => ({ count, sum: Math.min(count, failed) }));

export const tallies: fc.Arbitrary<Tally> = fc.record(
  { failed: probes, latencyMs: sum, errors: probes, responseTimeMs: sum, requestsPerSecond: sum },
  { requiredKeys: [] },
);

export const start = Date.parse('2030-01-01T00:00:00.000Z');

/** A minute of two healthy instances. @param minute from `start` on */
export function span(minute: number, more: Partial<Span> = {}): Span {
  const from = start + minute * minuteMs;
  return {
    ...{ from, until: from + minuteMs, lastReportAt: from + 50_000, after: minute - 1, through: minute },
    ...{ healthy: 2, unhealthy: 0, leastHealthy: 2, tally: { failed: { count: 12, sum: 0 } } },
    ...more,
  };
}

export const of = { deploymentId: newId, tenant: request().tenant };

export const summaryOf = (slot: Span) => ({
  type: 'HealthSummarised' as const,
  data: {
    ...of,
    from: new Date(slot.from).toISOString(),
    until: new Date(slot.until).toISOString(),
    lastReportAt: new Date(slot.lastReportAt).toISOString(),
    ...{ after: slot.after, through: slot.through, measured: slot.tally },
    ...{ healthyInstances: 2, unhealthyInstances: 0, leastHealthyInstances: 2 },
  },
});
