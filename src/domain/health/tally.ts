/** What was measured of instances over a while: counts and sums, so that two tallies make one and no average is averaged again. */
import { z } from 'zod';
import type { Report } from '../deployment/evidence.ts';

const measures = [
  /** Failed probes of those that passed or failed, once an instance had passed for the first time: failures before that are start-up. */
  'failed',
  /** What those probes took, in milliseconds. */
  'latencyMs',
  /** Errors of the requests that the plugin served, where reports tell both. */
  'errors',
  /** What the plugin's requests took, in milliseconds. */
  'responseTimeMs',
  /** Percent. */
  'cpuUsage',
  /** Percent. */
  'memoryUsage',
  /** Of all instances together. */
  'requestsPerSecond',
] as const;
export type Measure = (typeof measures)[number];

const Sum = z.strictObject({ count: z.number().min(0), sum: z.number().min(0) });

/** What nobody measured is absent. */
export const Tally = z.partialRecord(z.enum(measures), Sum);
export type Tally = Readonly<Partial<Record<Measure, Readonly<z.output<typeof Sum>>>>>;

export const noTally: Tally = {};

export function plus(a: Tally, b: Tally): Tally {
  return combined(a, b, 1);
}

/** What is left of a when b, a part of it, is taken away. */
export function minus(a: Tally, b: Tally): Tally {
  return combined(a, b, -1);
}

function combined(a: Tally, b: Tally, sign: 1 | -1): Tally {
  const all: Partial<Record<Measure, { count: number; sum: number }>> = {};
  for (const measure of measures) {
    const [x, y] = [a[measure], b[measure]];
    const count = (x?.count ?? 0) + sign * (y?.count ?? 0);
    if (count > 0) all[measure] = { count, sum: Math.max(0, (x?.sum ?? 0) + sign * (y?.sum ?? 0)) };
  }
  return all;
}

/** Whatever a reporter claims: more than any instance does, and so little that sums stay numbers. */
const largest = 1e9;

/** A reading as it counts; undefined for what is none: negative, or beyond all reason. */
export function reading(value: number | null | undefined): number | undefined {
  return typeof value === 'number' && value >= 0 && value <= largest ? value : undefined;
}

export interface Told {
  readonly report: Report;
  /** Whether its instance has passed by now. */
  readonly started: boolean;
}

/** Of the reports of a batch. On the hottest path of the platform: one tally is made, not one a report. */
export function tallyOf(reports: readonly Told[]): Tally {
  const all: Partial<Record<Measure, { count: number; sum: number }>> = {};
  const add = (measure: Measure, count: number, sum: number): void => {
    const known = (all[measure] ??= { count: 0, sum: 0 });
    known.count += count;
    known.sum += sum;
  };
  for (const { report, started } of reports) {
    const { outcome, metrics } = report;
    if (started && outcome !== 'error') {
      const latency = reading(report.latencyMs);
      add('failed', 1, outcome === 'fail' ? 1 : 0);
      if (latency !== undefined) add('latencyMs', 1, latency);
    }
    if (!metrics) continue;
    const requests = reading(metrics['requests']) ?? 0;
    const errors = reading(metrics['errors']);
    const responseTime = reading(metrics['responseTime']);
    if (requests > 0 && errors !== undefined) add('errors', requests, Math.min(errors, requests));
    if (requests > 0 && responseTime !== undefined) add('responseTimeMs', requests, responseTime * requests);
    for (const gauge of ['cpuUsage', 'memoryUsage'] as const) {
      const value = reading(metrics[gauge]);
      if (value !== undefined) add(gauge, 1, value);
    }
  }
  return all;
}

/** By what something was measured: the requests that the plugin served, as reports tell, or the probes that asked how it is. */
export type Basis = 'requests' | 'probes';

/** Averages; what nobody measured is null (decisions 28). */
export interface HealthMetrics {
  /** Milliseconds. */
  readonly avgResponseTime: number | null;
  readonly avgResponseTimeOf: Basis | null;
  /** 0 to 1. */
  readonly errorRate: number | null;
  readonly errorRateOf: Basis | null;
  readonly cpuUsage: number | null;
  readonly memoryUsage: number | null;
  readonly requestsPerSecond: number | null;
}

export function metricsOf(tally: Tally): HealthMetrics {
  const basisOf = (requests: Measure, probes: Measure): Basis | null =>
    tally[requests] ? 'requests' : tally[probes] ? 'probes' : null;
  return {
    avgResponseTime: mean(tally, 'responseTimeMs') ?? mean(tally, 'latencyMs'),
    avgResponseTimeOf: basisOf('responseTimeMs', 'latencyMs'),
    errorRate: mean(tally, 'errors') ?? mean(tally, 'failed'),
    errorRateOf: basisOf('errors', 'failed'),
    cpuUsage: mean(tally, 'cpuUsage'),
    memoryUsage: mean(tally, 'memoryUsage'),
    requestsPerSecond: mean(tally, 'requestsPerSecond'),
  };
}

/** To a millionth: digits behind that say nothing. */
function mean(tally: Tally, measure: Measure): number | null {
  const known = tally[measure];
  return known ? Math.round((known.sum / known.count) * 1e6) / 1e6 : null;
}
