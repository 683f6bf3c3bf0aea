/** Metrics that a rollout is held to, read from the reports of its canaries. */
import { z } from 'zod';
import type { Report } from './evidence.ts';
import type { HealthCheck } from './health-check.ts';
import type { Violations } from './parse.ts';

/**
 * `errorRate` is errors / requests (0 to 1), `responseTime` is in milliseconds, weighted by requests; any other name is read from
 * the reports' metrics as it stands (the mean of an interval). A higher value than `max` breaks the limit.
 */
export const AnalysisMetric = z.strictObject({
  metric: z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/),
  max: z.number(),
  /** Reports of one canary that are judged together: its interval in probe intervals, 1 to 8. */
  reports: z.int().min(1).max(8),
  /** So many broken intervals are borne, over all canaries in this stage: 0 to 4. */
  failureLimit: z.int().min(0).max(4),
  /** With fewer an interval is inconclusive; 0 to 1,000,000. */
  minRequests: z.int().min(0).max(1_000_000),
});
export type AnalysisMetric = z.output<typeof AnalysisMetric>;

export interface AnalysisInput {
  readonly metric: string;
  readonly max: number;
  readonly intervalSeconds?: number | undefined;
  readonly failureLimit?: number | undefined;
  readonly minRequests?: number | undefined;
}

/** At most 10 metrics, each named once, judged every 1 to 8 probe intervals (the default is one). */
export function parseAnalysis(
  input: readonly AnalysisInput[],
  check: HealthCheck,
  wrong: Violations,
): AnalysisMetric[] {
  if (input.length > 10) wrong.add('analysis', 'must be at most 10 metrics');
  return input.slice(0, 10).map((given, index) => {
    const field = `analysis[${index}]`;
    if (!AnalysisMetric.shape.metric.safeParse(given.metric).success)
      wrong.add(`${field}.metric`, 'must be a name of at most 64 letters, digits, _, . and -');
    if (input.findIndex(({ metric }) => metric === given.metric) !== index)
      wrong.add(`${field}.metric`, 'is named twice');
    if (!Number.isFinite(given.max)) wrong.add(`${field}.max`, 'must be a number');
    const probe = check.intervalSeconds;
    const interval = wrong.integer(
      `${field}.intervalSeconds`,
      given.intervalSeconds,
      probe,
      probe,
      8 * probe,
    );
    return {
      metric: given.metric,
      max: given.max,
      reports: Math.ceil(interval / probe),
      failureLimit: wrong.integer(`${field}.failureLimit`, given.failureLimit, 0, 0, 4),
      minRequests: wrong.integer(`${field}.minRequests`, given.minRequests, 0, 0, 1_000_000),
    };
  });
}

export interface MetricVerdict {
  readonly metric: AnalysisMetric;
  readonly broken: number;
  readonly kept: number;
  /** The worst value seen; null when no interval had enough requests. */
  readonly worst: number | null;
}

/** Judges the complete intervals of every canary; an interval is counted by sequence, so order and repetition change nothing. */
export function judgeMetric(metric: AnalysisMetric, canaries: readonly (readonly Report[])[]): MetricVerdict {
  let broken = 0;
  let kept = 0;
  let worst: number | null = null;
  for (const reports of canaries) {
    for (const interval of intervals(reports, metric.reports)) {
      const value = valueOf(metric, interval);
      if (value === null) continue;
      worst = Math.max(worst ?? value, value);
      if (value > metric.max) broken += 1;
      else kept += 1;
    }
  }
  return { metric, broken, kept, worst };
}

function intervals(reports: readonly Report[], size: number): readonly (readonly Report[])[] {
  const bySlice = new Map<number, Report[]>();
  for (const report of reports) {
    const slice = Math.floor(report.sequence / size);
    bySlice.set(slice, [...(bySlice.get(slice) ?? []), report]);
  }
  return [...bySlice.values()].filter((slice) => slice.length === size);
}

function valueOf(metric: AnalysisMetric, reports: readonly Report[]): number | null {
  const requests = sum(reports, 'requests');
  if (requests < metric.minRequests) return null;
  if (metric.metric === 'errorRate') return requests > 0 ? sum(reports, 'errors') / requests : null;
  if (metric.metric === 'responseTime') {
    if (requests === 0) return null;
    const total = reports.reduce(
      (all, { metrics }) => all + (metrics?.['responseTime'] ?? 0) * (metrics?.['requests'] ?? 0),
      0,
    );
    return total / requests;
  }
  const values = reports.flatMap(({ metrics = {} }) =>
    Object.hasOwn(metrics, metric.metric) ? (metrics[metric.metric] ?? []) : [],
  );
  return values.length > 0 ? values.reduce((a, b) => a + b, 0) / values.length : null;
}

function sum(reports: readonly Report[], name: string): number {
  return reports.reduce((all, { metrics }) => all + (metrics?.[name] ?? 0), 0);
}
