/** What a deployment would do, found out without doing any of it: nothing is written, and nothing counted. */
import { CommandRefused } from '../core/executor.ts';
import { requiredOf } from '../domain/dependencies.ts';
import { deployment } from '../domain/deployment/deployment.ts';
import { type Planned, planRollout } from '../domain/deployment/plan.ts';
import { DeploymentId, type PluginId, type Slot, slotKey } from '../domain/ids.ts';
import { quota, reservedIn, type Reserved } from '../domain/quota.ts';
import { isRefusal } from '../domain/refusal.ts';
import { claim, slot as slotAggregate } from '../domain/slot.ts';
import { tenant, type Tenant } from '../domain/tenant.ts';
import type { RuntimeKind } from '../ports/runtime.ts';
import { refuseBreaking } from './check-dependants.ts';
import {
  checkDeployment,
  type DeployInput,
  type DeployPluginDeps,
  hashOf,
  quotaOf,
} from './check-deployment.ts';
import { currentVersion } from './check-dependencies.ts';
import { refuseExcessOf, refuseHasteOf } from './reserve-quota.ts';

export interface TriedDeployment extends Planned {
  readonly pluginVersion: string;
  readonly runtime: RuntimeKind;
  /** What the tenant reserves now, and while both the old instances and all of the new run. */
  readonly reserved: Reserved;
  readonly atPeak: Reserved;
  readonly quotas: Tenant['quotas'];
  /** What it requires, and which version of it is current. */
  readonly dependencies: readonly {
    readonly pluginId: PluginId;
    readonly versionConstraint: string;
    readonly current: string | null;
  }[];
  /** What is current in its place, and where a rollback would return to. */
  readonly replaces: { readonly deploymentId: DeploymentId; readonly pluginVersion: string } | null;
  /** The rollout that it would end first. */
  readonly supersedes: DeploymentId | null;
}

/** Belongs to no deployment: none has it, and none will. */
const unborn = DeploymentId.parse('dep-dry-run');

/** @throws {CommandRefused} exactly as the deployment itself would; {NotThereYet} */
export async function tryDeployment(deps: DeployPluginDeps, input: DeployInput): Promise<TriedDeployment> {
  const { executor, clock, store, runtimes } = deps;
  const planned = planRollout(input);
  if (isRefusal(planned)) throw new CommandRefused(planned);
  const target: Slot = { tenant: input.tenantId, environment: input.environment, plugin: input.pluginId };
  await refuseHasteOf(deps, input.tenantId, unborn);
  const { version } = await checkDeployment(deps, target, input);
  const asked = { deploymentId: unborn, ...quotaOf(target, version, planned) };
  await refuseExcessOf(deps, input.tenantId, asked);
  const asOf = await store.head();
  const { state: slot } = await executor.load(slotAggregate, slotKey(target));
  const now = clock.now();
  const claimed = claim(slot, {
    ...{
      deploymentId: unborn,
      pluginVersion: input.pluginVersion,
      now,
      expiresAt: new Date(now).toISOString(),
    },
    configurationHash: hashOf(input.configuration ?? {}),
    supersede: input.supersede ?? false,
    force: input.force ?? false,
  });
  if (isRefusal(claimed)) throw new CommandRefused(claimed);
  const change = { after: version.semanticVersion, asOf, field: 'pluginVersion' };
  if (input.force !== true) await refuseBreaking(deps, target, change);

  const [{ state: host }, { state: held }] = await Promise.all([
    executor.load(tenant, input.tenantId),
    executor.load(quota, input.tenantId),
  ]);
  if (!host) throw new Error(`tenant ${input.tenantId} is gone`);
  const reserved = reservedIn(held.reservations);
  const isNew = !held.reservations.some(({ plugin }) => plugin === input.pluginId);
  return {
    ...planned,
    pluginVersion: version.semanticVersion,
    runtime: runtimes.chosen,
    reserved,
    atPeak: {
      plugins: reserved.plugins + (isNew ? 1 : 0),
      cpu: reserved.cpu + asked.cpu,
      memoryMB: reserved.memoryMB + asked.memoryMB,
      instances: reserved.instances + asked.instances,
    },
    quotas: host.quotas,
    dependencies: await Promise.all(
      requiredOf(version.dependencies).map(async ({ pluginId, versionConstraint }) => {
        const current = await currentVersion(executor, { ...target, plugin: pluginId });
        return { pluginId, versionConstraint, current: current?.semanticVersion ?? null };
      }),
    ),
    replaces: await replaced(deps, slot.current),
    supersedes: slot.flight?.deploymentId ?? null,
  };
}

async function replaced(
  { executor }: DeployPluginDeps,
  current: DeploymentId | null,
): Promise<TriedDeployment['replaces']> {
  if (current === null) return null;
  const { state } = await executor.load(deployment, current);
  return state.phase === 'None'
    ? null
    : { deploymentId: current, pluginVersion: state.request.pluginVersion };
}
