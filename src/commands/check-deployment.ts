/** What must hold of plugin, tenant and dependencies for a deployment (decisions 14), and what follows from its version. */
import { createHash } from 'node:crypto';
import { CommandRefused, type Executor } from '../core/executor.ts';
import type { DeploymentRequest } from '../domain/deployment/events.ts';
import type { PlanInput, Planned } from '../domain/deployment/plan.ts';
import { freeze, freezeId, refuseFrozen } from '../domain/freeze.ts';
import { slotKey, type Environment, type PluginId, type Slot, type TenantId } from '../domain/ids.ts';
import { findVersion, livePlugin, plugin, type PublishedVersion } from '../domain/plugin.ts';
import { beingDeleted } from '../domain/publisher.ts';
import { askedOf } from '../domain/quota.ts';
import { refuse, type Refusal } from '../domain/refusal.ts';
import { noSuchTenant, tenant } from '../domain/tenant.ts';
import type { Clock } from '../ports/clock.ts';
import type { Runtimes } from '../ports/runtime.ts';
import { refuseWrongConfiguration, type ConfigurationDeps } from './check-configuration.ts';
import type { DependantsDeps } from './check-dependants.ts';
import { checkDependencies, currentVersion } from './check-dependencies.ts';

type Configuration = DeploymentRequest['configuration'];

export interface DeployPluginDeps extends DependantsDeps, ConfigurationDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly runtimes: Pick<Runtimes, 'chosen'>;
  /** How instances are to behave where they are simulated; null elsewhere. */
  readonly scenarioOf: (source: {
    configuration: Configuration;
    tags: readonly string[];
  }) => string | null | Refusal;
}

export interface DeployInput extends PlanInput {
  readonly pluginId: PluginId;
  readonly pluginVersion: string;
  readonly tenantId: TenantId;
  readonly environment: Environment;
  readonly configuration?: Configuration | undefined;
  /** Ends the rollout that is in flight in the slot first. */
  readonly supersede?: boolean | undefined;
  /** Deploys again at once what was just rolled back automatically, and breaks what others require. */
  readonly force?: boolean | undefined;
}

export interface Checked {
  /** `plg_…`: of this plugin, not of another that had or will have its slug. */
  readonly identity: string;
  readonly version: PublishedVersion;
  readonly tags: readonly string[];
}

/**
 * All that must hold of plugin, tenant and dependencies.
 * @throws {CommandRefused} NotFound, Forbidden, Invalid, DependencyConflict or Conflict, in this order
 */
export async function checkDeployment(
  deps: DeployPluginDeps,
  target: Slot,
  input: DeployInput,
): Promise<Checked> {
  const { executor } = deps;
  const [{ state: found }, { state: host }] = await Promise.all([
    executor.load(plugin, target.plugin),
    executor.load(tenant, target.tenant),
  ]);
  const known = livePlugin(found);
  const version = findVersion(found, input.pluginVersion);
  if (!known) throw refused('NotFound', 'pluginId', `There is no plugin ${target.plugin}`);
  if (!version)
    throw refused(
      'NotFound',
      'pluginVersion',
      `Plugin ${target.plugin} has no version ${input.pluginVersion}`,
    );
  if (!host) throw refused('NotFound', 'tenantId', noSuchTenant(target.tenant));
  if (host.status === 'Suspended')
    throw refused('Forbidden', 'tenantId', `Tenant ${target.tenant} is suspended`);
  const { category } = known;
  if (host.allowedCategories && (category === null || !host.allowedCategories.includes(category)))
    throw refused(
      'Forbidden',
      'pluginId',
      `Tenant ${target.tenant} may deploy plugins of ${host.allowedCategories.join(', ') || 'no category'}, and ${target.plugin} is ${category === null ? 'of none' : `of ${category}`}`,
    );
  const scenario = deps.scenarioOf({ configuration: input.configuration ?? {}, tags: known.tags });
  if (scenario !== null && typeof scenario !== 'string') throw new CommandRefused(scenario);
  await refuseWrongConfiguration(deps, version, input.configuration ?? {});
  await checkDependencies(executor, target, version.dependencies);
  const frozen = refuseFrozen((await executor.load(freeze, freezeId)).state);
  if (frozen) throw new CommandRefused(frozen);
  const deletion = beingDeleted(known);
  if (deletion) throw new CommandRefused(deletion);
  if (version.state === 'Yanked' && !(await runs(executor, target, version.semanticVersion)))
    throw refused(
      'Conflict',
      'pluginVersion',
      `Version ${version.semanticVersion} was yanked: only those who run it may deploy it`,
    );
  return { identity: known.id, version, tags: known.tags };
}

async function runs(executor: Executor, slot: Slot, semanticVersion: string): Promise<boolean> {
  return (await currentVersion(executor, slot))?.semanticVersion === semanticVersion;
}

/** What all its instances reserve, beside those that it replaces. */
export function quotaOf(target: Slot, { resources }: PublishedVersion, planned: Planned) {
  return {
    slot: slotKey(target),
    plugin: target.plugin,
    ...askedOf(reservesOf(resources), planned.totalInstances),
  };
}

/** What each instance reserves at least (decisions 25). */
export function reservesOf({
  minCpu,
  minMemoryMB,
}: PublishedVersion['resources']): DeploymentRequest['reserves'] {
  return { cpu: minCpu ?? 0, memoryMB: minMemoryMB ?? 0 };
}

/** Equal for equal configurations, in whatever order their members were written. */
export function hashOf(configuration: Configuration): string {
  const canonical = JSON.stringify(configuration, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
  return createHash('sha256').update(canonical).digest('hex');
}

export function refused(kind: Refusal['refused'], field: string, message: string): CommandRefused {
  return new CommandRefused(refuse(kind, message, { field, message }));
}
