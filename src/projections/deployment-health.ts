/**
 * How the instances of deployments are, folded from their reports. The most frequent event touches two documents: what readers join
 * stays small, and what is known of each instance is read by nobody else.
 */
import type { Collection, Documents } from '../core/projection.ts';
import type { Report } from '../domain/deployment/evidence.ts';
import type { DeploymentRequest } from '../domain/deployment/events.ts';
import { staleAfterMs } from '../domain/deployment/health-check.ts';
import type { DeploymentId, TenantId } from '../domain/ids.ts';
import { healthEvents, type InstanceHealthObserved } from '../domain/health.ts';
import { on } from './event-data.ts';

/** By deployment; absent before the first report. */
export interface DeploymentHealth {
  readonly deploymentId: DeploymentId;
  readonly healthyInstances: number;
  readonly unhealthyInstances: number;
  /** When somebody last learned how an instance is, ISO 8601; null: never. */
  readonly lastHealthCheck: string | null;
}

/** What the next report of an instance needs to be understood. */
interface Instance {
  /** Of its last report: what is not after it changes nothing. */
  readonly sequence: number;
  readonly passes: number;
  readonly fails: number;
  readonly ready: boolean;
  /** Failures before the first pass are start-up. */
  readonly everPassed: boolean;
  /** When its last report was recorded, wall milliseconds. */
  readonly seenAt: number;
}

interface Instances {
  readonly successThreshold: number;
  readonly failureThreshold: number;
  readonly totalInstances: number;
  /** Who has been silent for so long, while others report, is gone: a restart of the platform leaves no word of its instances. */
  readonly staleAfterMs: number;
  /** The newest seen; what is older is history. */
  readonly epoch: number;
  /** Those that reported at the epoch and live. */
  readonly living: Readonly<Record<string, Instance>>;
  /** Those that another stood in for, newest last: their late reports do not bring them back. */
  readonly replaced: readonly string[];
}

export const deploymentHealth: Collection<DeploymentHealth> = {
  name: 'deployment_health',
  visibility: 'tenant',
  indexes: [{ fields: ['deploymentId'] }],
  text: [],
};

export const deploymentInstances: Collection<Instances> = {
  name: 'deployment_instances',
  visibility: 'tenant',
  indexes: [],
  text: [],
};

/** More than any deployment has (1,000). */
const instancesKept = 2_000;
const replacedKept = 1_000;

export const onHealthObserved = on(
  healthEvents.InstanceHealthObserved,
  async (observed, documents, { metadata }) => {
    const { deploymentId, tenant, reports } = observed;
    const before = await documents.get(deploymentInstances, deploymentId);
    const after = before && fold(before, observed, Date.parse(metadata.at));
    if (!after) return;
    documents.put(deploymentInstances, deploymentId, tenant, after);
    const living = Object.values(after.living);
    const ready = living.filter((instance) => instance.ready);
    const unhealthy = living.filter(({ everPassed, fails }) => everPassed && fails >= after.failureThreshold);
    // Those that are gone and those that stand in for them may overlap until the silence is noticed.
    const healthyInstances = Math.min(ready.length, after.totalInstances);
    const known = await documents.get(deploymentHealth, deploymentId);
    const told = reports.some(({ outcome }) => outcome !== 'error');
    const last = known?.lastHealthCheck ?? null;
    documents.put(deploymentHealth, deploymentId, tenant, {
      deploymentId,
      healthyInstances,
      unhealthyInstances: Math.min(unhealthy.length, after.totalInstances - healthyInstances),
      lastHealthCheck: told && (last === null || metadata.at > last) ? metadata.at : last,
    });
  },
);

/** Begins to count. */
export function expectHealth(documents: Documents, request: DeploymentRequest): void {
  const { deploymentId, tenant, healthCheck, totalInstances } = request;
  const { successThreshold, failureThreshold } = healthCheck;
  documents.put(deploymentInstances, deploymentId, tenant, {
    successThreshold,
    failureThreshold,
    totalInstances,
    staleAfterMs: staleAfterMs(healthCheck),
    epoch: 0,
    living: {},
    replaced: [],
  });
}

/** Forgets all instances: they were stopped. @param epoch the first whose reports count again */
export async function forgetHealth(
  documents: Documents,
  deploymentId: DeploymentId,
  tenant: TenantId,
  epoch: number,
): Promise<void> {
  const instances = await documents.get(deploymentInstances, deploymentId);
  if (!instances) return;
  documents.put(deploymentInstances, deploymentId, tenant, { ...instances, epoch, living: {}, replaced: [] });
  const known = await documents.get(deploymentHealth, deploymentId);
  if (known) {
    const none = { healthyInstances: 0, unhealthyInstances: 0 };
    documents.put(deploymentHealth, deploymentId, tenant, { ...known, ...none });
  }
}

/** Null when the batch changes nothing. */
function fold(
  before: Instances,
  { epoch, reports }: InstanceHealthObserved,
  seenAt: number,
): Instances | null {
  if (epoch < before.epoch) return null;
  // What runs on into a new epoch is as it was; what does not report at it was stopped.
  const living: Record<string, Instance> = epoch === before.epoch ? { ...before.living } : {};
  const replaced = new Set(before.replaced);
  let changed = false;
  for (const report of reports.toSorted((a, b) => a.sequence - b.sequence)) {
    const known = living[report.instance] ?? before.living[report.instance];
    if (replaced.has(report.instance) || (known && report.sequence <= known.sequence)) continue;
    changed = true;
    living[report.instance] = withReport(known, report, before, seenAt);
    if (report.replaces === null) continue;
    replaced.add(report.replaces);
  }
  if (!changed) return null;
  const here = Object.entries(living).filter(
    ([instance, known]) => !replaced.has(instance) && known.seenAt + before.staleAfterMs >= seenAt,
  );
  return {
    ...before,
    epoch,
    living: Object.fromEntries(here.slice(-instancesKept)),
    replaced: [...replaced].slice(-replacedKept),
  };
}

/** Kubernetes' rules, as {@link Report}s are judged by a rollout. */
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
  return { sequence, passes, fails, ready, everPassed, seenAt };
}
