/**
 * What is known of a deployment's instances: a fold of their reports. Order is the reports' sequence, never the clock and never
 * the order of arrival; what was seen before, and what belongs to an older epoch, changes nothing. Memory is bounded.
 */
import { z } from 'zod';
import type { HealthCheck } from './health-check.ts';

/** Evidence is kept by it in a plain object, of which every member must be its own. */
export const InstanceId = z
  .string()
  .min(1)
  .max(100)
  .refine((id) => !(id in {}), 'must not be a word that every object knows');

export const Report = z.strictObject({
  /** Fresh at every start of an instance. */
  instance: InstanceId,
  /** Counts up within an instance. */
  sequence: z.int().min(0),
  /** `error`: the question could not be asked; it says nothing of the instance. */
  outcome: z.enum(['pass', 'fail', 'error']),
  latencyMs: z.number().min(0).nullable(),
  /** The instance that died and that this one stands in for; null for a first start. */
  replaces: InstanceId.nullable(),
  /** Since the report before: `requests`, `errors`, `responseTime` (ms, mean) and any others. */
  metrics: z.record(z.string().max(64), z.number()).optional(),
});
export type Report = z.output<typeof Report>;

export interface InstanceEvidence {
  /** The last it reported at. */
  readonly epoch: number;
  /** Whether it ever passed, at any epoch: failures before that are start-up. */
  readonly everPassed: boolean;
  /** Passes at its epoch, which a stage begins anew. */
  readonly passes: number;
  /** The last reports at its epoch, by rising sequence, at most {@link reportsKept}. */
  readonly recent: readonly Report[];
  /** Failures in a row with which it came out of the epoch before. */
  readonly failuresBefore: number;
  /** Nothing up to here is taken any more: it was forgotten to bound memory. -1: nothing was. */
  readonly forgottenUpTo: number;
  /** Monotonic milliseconds of the last pass or failure that this process received; null when it only read of it. */
  readonly lastSeenAt: number | null;
  /** Monotonic milliseconds at which this process first heard of it; null when it read of it before. */
  readonly firstSeenAt: number | null;
  /** The epoch at which another instance stood in for it; null while it lives. */
  readonly replacedAt: number | null;
}

export interface Evidence {
  /** The newest seen. */
  readonly epoch: number;
  readonly instances: Readonly<Record<string, InstanceEvidence>>;
}

export const noEvidence: Evidence = { epoch: 0, instances: {} };

/** Per instance: more than any threshold (10), and six of the longest intervals of an analysis (8). */
export const reportsKept = 48;
/** More than any deployment (1,000) and what it leaves behind when all are replaced. */
const instancesKept = 2500;

/** @param seenAt monotonic milliseconds at which this process received the reports; null for those it reads from the log */
export function foldReports(
  evidence: Evidence,
  batch: { readonly epoch: number; readonly reports: readonly Report[] },
  seenAt: number | null,
): Evidence {
  if (batch.epoch < evidence.epoch) return evidence;
  const instances: Record<string, InstanceEvidence> = { ...evidence.instances };
  let changed = false;
  for (const report of batch.reports.toSorted((a, b) => a.sequence - b.sequence)) {
    const before = at(batch.epoch, instances[report.instance], seenAt);
    if (isKnown(before, report)) continue;
    changed = true;
    instances[report.instance] = withReport(before, report, seenAt);
    if (report.replaces !== null) {
      const replaced = at(batch.epoch, instances[report.replaces], seenAt);
      instances[report.replaces] = { ...replaced, replacedAt: replaced.replacedAt ?? batch.epoch };
    }
  }
  return changed ? { epoch: batch.epoch, instances: bounded(instances) } : evidence;
}

/** The reports of a batch that would change what is known. */
export function unknownReports(
  evidence: Evidence,
  batch: { readonly epoch: number; readonly reports: readonly Report[] },
): readonly Report[] {
  if (batch.epoch < evidence.epoch) return [];
  const seen = new Set<string>();
  return batch.reports.filter((report) => {
    const key = `${report.sequence} ${report.instance}`;
    if (seen.has(key) || isKnown(at(batch.epoch, evidence.instances[report.instance], null), report))
      return false;
    seen.add(key);
    return true;
  });
}

/** A new epoch counts anew; that an instance once passed stays true. Sequences go on, so old reports stay old. */
function at(epoch: number, instance: InstanceEvidence | undefined, seenAt: number | null): InstanceEvidence {
  if (!instance) {
    return {
      epoch,
      everPassed: false,
      passes: 0,
      recent: [],
      failuresBefore: 0,
      forgottenUpTo: -1,
      lastSeenAt: null,
      firstSeenAt: seenAt,
      replacedAt: null,
    };
  }
  if (instance.epoch === epoch) return instance;
  return {
    ...instance,
    epoch,
    passes: 0,
    recent: [],
    failuresBefore: lastingFailures(instance),
    forgottenUpTo: lastSequence(instance),
  };
}

/** The highest that was taken; -1: none. */
export function lastSequence({ recent, forgottenUpTo }: InstanceEvidence): number {
  return recent.at(-1)?.sequence ?? forgottenUpTo;
}

/** Failures in a row, whatever stages began meanwhile. */
function lastingFailures({ recent, failuresBefore }: InstanceEvidence): number {
  const add = (fails: number, { outcome }: Report): number =>
    outcome === 'fail' ? fails + 1 : outcome === 'pass' ? 0 : fails;
  return recent.reduce(add, failuresBefore);
}

function isKnown(instance: InstanceEvidence, report: Report): boolean {
  return (
    report.sequence <= instance.forgottenUpTo ||
    instance.recent.some(({ sequence }) => sequence === report.sequence)
  );
}

function withReport(instance: InstanceEvidence, report: Report, seenAt: number | null): InstanceEvidence {
  const passed = report.outcome === 'pass';
  const reports = [...instance.recent, report].sort((a, b) => a.sequence - b.sequence);
  const forgotten = reports.length > reportsKept ? reports.shift() : undefined;
  return {
    ...instance,
    everPassed: instance.everPassed || passed,
    passes: instance.passes + (passed ? 1 : 0),
    recent: reports,
    forgottenUpTo: forgotten?.sequence ?? instance.forgottenUpTo,
    lastSeenAt: report.outcome === 'error' || seenAt === null ? instance.lastSeenAt : seenAt,
  };
}

/** Forgets first who was replaced, then who has been known longest. */
function bounded(instances: Record<string, InstanceEvidence>): Record<string, InstanceEvidence> {
  const entries = Object.entries(instances);
  if (entries.length <= instancesKept) return instances;
  const dead = entries.filter(([, { replacedAt }]) => replacedAt !== null);
  const alive = entries.filter(([, { replacedAt }]) => replacedAt === null);
  return Object.fromEntries([...dead, ...alive].slice(-instancesKept));
}

/** How one instance is, from its reports in sequence, as Kubernetes counts them. */
export interface InstanceHealth {
  readonly instance: string;
  readonly ready: boolean;
  /** `failureThreshold` failures in a row, once it has passed: before that they are start-up. */
  readonly unhealthy: boolean;
  /** At this epoch: a new stage, and a person who resumes, begin anew. */
  readonly failuresInARow: number;
  /** Also across epochs. */
  readonly lastingFailures: number;
  readonly passesInARow: number;
  readonly passes: number;
  readonly lastSeenAt: number | null;
  readonly firstSeenAt: number | null;
  readonly reports: readonly Report[];
}

/** The instances that reported at the epoch and still live, by name: the order of arrival says nothing. */
export function present(evidence: Evidence, epoch: number, check: HealthCheck): readonly InstanceHealth[] {
  return Object.entries(evidence.instances)
    .filter(([, { replacedAt, ...known }]) => known.epoch === epoch && replacedAt === null)
    .map(([instance, known]) => healthOf(instance, known, check))
    .sort((a, b) => (a.instance < b.instance ? -1 : 1));
}

/** Instances that had passed before they died and were replaced, at this epoch. */
export function restarts(evidence: Evidence, epoch: number): readonly string[] {
  return Object.entries(evidence.instances)
    .filter(([, { replacedAt, everPassed }]) => replacedAt === epoch && everPassed)
    .map(([instance]) => instance)
    .sort();
}

function healthOf(instance: string, known: InstanceEvidence, check: HealthCheck): InstanceHealth {
  let [ready, fails, passes] = [false, 0, 0];
  for (const { outcome } of known.recent) {
    // An error says nothing of the instance, but the passes around it are no longer in a row.
    fails = outcome === 'fail' ? fails + 1 : outcome === 'pass' ? 0 : fails;
    passes = outcome === 'pass' ? passes + 1 : 0;
    if (passes >= check.successThreshold) ready = true;
    if (fails >= check.failureThreshold) ready = false;
  }
  return {
    instance,
    ready,
    unhealthy: known.everPassed && fails >= check.failureThreshold,
    failuresInARow: fails,
    lastingFailures: lastingFailures(known),
    passesInARow: passes,
    passes: known.passes,
    lastSeenAt: known.lastSeenAt,
    firstSeenAt: known.firstSeenAt,
    reports: known.recent,
  };
}
