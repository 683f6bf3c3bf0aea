/**
 * What the agents of an environment should run. Only where to look comes from a read model, which may lag: what should run, and under
 * which epoch, is read from the log, slot by slot.
 */
import { createHash } from 'node:crypto';
import type { Executor } from '../core/executor.ts';
import { standingOf } from '../core/slot-standing.ts';
import type { Desired } from '../domain/deployment/desired.ts';
import type { HealthCheck } from '../domain/deployment/health-check.ts';
import {
  type DeploymentId,
  type Environment,
  parseSlotKey,
  type PluginId,
  type SlotKey,
  type TenantId,
} from '../domain/ids.ts';
import { findVersion, plugin, type PublishedVersion } from '../domain/plugin.ts';
import type { ReadModels } from '../ports/read-models.ts';
import { occupiedSlotsIn } from './slots.ts';

export interface AssignedDeployment {
  readonly deploymentId: DeploymentId;
  readonly pluginVersion: string;
  readonly instances: number;
  /** Verbatim: `${secret:name}` is the agent's to resolve. */
  readonly configuration: Desired['configuration'];
  readonly healthCheck: HealthCheck;
  /** What the version says of itself; null: nothing. */
  readonly runtime: PublishedVersion['runtime'] | null;
  readonly binaryUrl: string | null;
  readonly checksum: string | null;
}

export interface Assignment {
  readonly slot: SlotKey;
  readonly pluginId: PluginId;
  readonly epoch: number;
  readonly deployments: readonly AssignedDeployment[];
}

export interface Assignments {
  /** The same for the same assignments, on every server and after every restart. */
  readonly cursor: string;
  /** All that should run: what is not named here should not. In the order of their slots. */
  readonly assignments: readonly Assignment[];
}

interface Deps {
  readonly models: ReadModels;
  readonly executor: Pick<Executor, 'load'>;
}

/** @param fresh slots of which the read model may not know yet; those of other places are passed over */
export async function assignmentsOf(
  { models, executor }: Deps,
  place: { readonly tenant: TenantId; readonly environment: Environment },
  fresh: readonly SlotKey[],
): Promise<Assignments> {
  const prefix = `${place.tenant}.${place.environment.toLowerCase()}.`;
  const known = await Array.fromAsync(occupiedSlotsIn(models, place.tenant), ({ key }) => key);
  const keys = [...new Set([...known, ...fresh])].filter((key) => key.startsWith(prefix)).sort();
  const assignments: Assignment[] = [];
  for (const key of keys) {
    const found = await assignmentIn(executor, key);
    if (found) assignments.push(found);
  }
  const cursor = createHash('sha256').update(JSON.stringify(assignments)).digest('base64url');
  return { cursor, assignments };
}

/** Null when no agent has anything to do there. */
async function assignmentIn(executor: Deps['executor'], key: SlotKey): Promise<Assignment | null> {
  const parts = parseSlotKey(key);
  const { epoch, desired } = await standingOf(executor, key);
  const agents = desired.filter(({ runtime }) => runtime === 'agent');
  if (!parts || agents.length === 0) return null;
  const { state } = await executor.load(plugin, parts.plugin);
  const deployments = agents.map(({ of, ...one }): AssignedDeployment => {
    const version = findVersion(state, one.pluginVersion);
    return {
      deploymentId: one.deploymentId,
      pluginVersion: one.pluginVersion,
      instances: one.instances,
      configuration: one.configuration,
      healthCheck: of.request.healthCheck,
      runtime: version?.runtime ?? null,
      binaryUrl: version?.binaryUrl ?? null,
      checksum: version?.checksum ?? null,
    };
  });
  return { slot: key, pluginId: parts.plugin, epoch, deployments };
}
