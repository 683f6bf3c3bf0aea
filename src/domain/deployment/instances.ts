/** How the instances of a deployment are, folded from their reports: what is known of each, and how many are well at a moment. */
import { noTally, plus, reading, type Tally, tallyOf, type Told } from '../health/tally.ts';
import type { Report } from './evidence.ts';
import { type HealthCheck, staleAfterMs } from './health-check.ts';

/** What the next report of an instance needs to be understood. */
interface Instance {
  /** Of its last report: what is not after it changes nothing. */
  readonly sequence: number;
  readonly passes: number;
  readonly fails: number;
  readonly ready: boolean;
  /** Failures before the first pass are start-up. */
  readonly everPassed: boolean;
  /** When it last passed or failed, as recorded (wall milliseconds); before that, when it was first heard of. */
  readonly seenAt: number;
  /** As its last two batches have it; absent where they do not tell of requests. */
  readonly requestsPerSecond?: number;
}

/** JSON. */
export interface Instances {
  readonly successThreshold: number;
  readonly failureThreshold: number;
  readonly totalInstances: number;
  /** Who has been silent for so long is unknown; while others report, it is gone: a restart of the platform leaves no word of its instances. */
  readonly staleAfterMs: number;
  /** The newest seen; what is older is history. */
  readonly epoch: number;
  /** Those that reported at the epoch and live. */
  readonly living: Readonly<Record<string, Instance>>;
  /** Those that another stood in for, newest last: their late reports do not bring them back. */
  readonly replaced: readonly string[];
}

/** More than any deployment has (1,000). */
const instancesKept = 2_000;
const replacedKept = 1_000;

/** Nobody has reported yet. */
export function expected(healthCheck: HealthCheck, totalInstances: number): Instances {
  const { successThreshold, failureThreshold } = healthCheck;
  return {
    ...{ successThreshold, failureThreshold, totalInstances, staleAfterMs: staleAfterMs(healthCheck) },
    ...{ epoch: 0, living: {}, replaced: [] },
  };
}

/** All were stopped. @param epoch the first whose reports count again */
export function forgotten(instances: Instances, epoch: number): Instances {
  return { ...instances, epoch, living: {}, replaced: [] };
}

export interface Learned {
  readonly instances: Instances;
  /** Of what the batch told that was not known. */
  readonly tally: Tally;
}

/** @param seenAt when the batch was recorded, wall milliseconds @returns null when it changes nothing */
export function withReports(
  before: Instances,
  { epoch, reports }: { readonly epoch: number; readonly reports: readonly Report[] },
  seenAt: number,
): Learned | null {
  if (epoch < before.epoch) return null;
  // What runs on into a new epoch is as it was; what does not report at it was stopped.
  const living: Record<string, Instance> = epoch === before.epoch ? { ...before.living } : {};
  const replaced = new Set(before.replaced);
  const requests = new Map<string, number>();
  const fresh: Told[] = [];
  for (const report of reports.toSorted((a, b) => a.sequence - b.sequence)) {
    const known = living[report.instance] ?? before.living[report.instance];
    if (replaced.has(report.instance) || (known && report.sequence <= known.sequence)) continue;
    const after = withReport(known, report, before, seenAt);
    living[report.instance] = after;
    fresh.push({ report, started: after.everPassed });
    const served = reading(report.metrics?.['requests']);
    if (served !== undefined) requests.set(report.instance, (requests.get(report.instance) ?? 0) + served);
    if (report.replaces !== null) replaced.add(report.replaces);
  }
  if (fresh.length === 0) return null;
  for (const [instance, served] of requests) {
    const [known, after] = [before.living[instance], living[instance]];
    const seconds = known ? (seenAt - known.seenAt) / 1000 : 0;
    if (after && seconds > 0) living[instance] = { ...after, requestsPerSecond: served / seconds };
  }
  const here = Object.entries(living).filter(
    ([instance, known]) => !replaced.has(instance) && known.seenAt + before.staleAfterMs >= seenAt,
  );
  const instances: Instances = {
    ...before,
    epoch,
    living: Object.fromEntries(here.slice(-instancesKept)),
    replaced: [...replaced].slice(-replacedKept),
  };
  const tally = tallyOf(fresh);
  return { instances, tally: requests.size > 0 ? plus(tally, throughput(instances)) : tally };
}

/** Kubernetes' rules, as a rollout judges reports. */
function withReport(
  known: Instance | undefined,
  { sequence, outcome }: Report,
  of: Instances,
  seenAt: number,
): Instance {
  const fails = outcome === 'fail' ? (known?.fails ?? 0) + 1 : outcome === 'pass' ? 0 : (known?.fails ?? 0);
  // An error says nothing of the instance, but the passes around it are no longer in a row.
  const passes = outcome === 'pass' ? (known?.passes ?? 0) + 1 : 0;
  const ready = (known?.ready === true || passes >= of.successThreshold) && fails < of.failureThreshold;
  const everPassed = known?.everPassed === true || outcome === 'pass';
  const heardAt = outcome === 'error' ? (known?.seenAt ?? seenAt) : seenAt;
  return { ...known, sequence, passes, fails, ready, everPassed, seenAt: heardAt };
}

function throughput({ living }: Instances): Tally {
  const rates = Object.values(living).flatMap(({ requestsPerSecond }) => requestsPerSecond ?? []);
  if (rates.length === 0) return noTally;
  return { requestsPerSecond: { count: 1, sum: rates.reduce((sum, rate) => sum + rate, 0) } };
}

/** Of the instances that are known not to be silent. */
export interface InstanceCounts {
  readonly healthy: number;
  /** Failing though they once passed. */
  readonly unhealthy: number;
  /** Not ready yet, or not ready again. */
  readonly starting: number;
}

/** @param nowMs wall milliseconds: who has been silent for too long by then is not counted */
export function countInstances(instances: Instances, nowMs: number): InstanceCounts {
  const { totalInstances, failureThreshold } = instances;
  let [healthy, unhealthy, all] = [0, 0, 0];
  for (const { seenAt, ready, everPassed, fails } of Object.values(instances.living)) {
    if (seenAt + instances.staleAfterMs < nowMs) continue;
    all += 1;
    if (ready) healthy += 1;
    else if (everPassed && fails >= failureThreshold) unhealthy += 1;
  }
  // Those that are gone and those that stand in for them may overlap until the silence is noticed.
  healthy = Math.min(healthy, totalInstances);
  unhealthy = Math.min(unhealthy, totalInstances - healthy);
  return { healthy, unhealthy, starting: Math.min(all, totalInstances) - healthy - unhealthy };
}

export type HealthStatus = 'Healthy' | 'Degraded' | 'Unhealthy' | 'Unknown';

/** Healthy: all that are to run; Degraded: some; Unhealthy: none; Unknown: nobody has reported lately (decisions 28). */
export function healthStatus({ healthy, unhealthy, starting }: InstanceCounts, wanted: number): HealthStatus {
  if (healthy + unhealthy + starting === 0) return 'Unknown';
  if (healthy === 0) return 'Unhealthy';
  return healthy >= wanted ? 'Healthy' : 'Degraded';
}
