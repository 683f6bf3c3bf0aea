/** A whole platform on a virtual clock: the log in memory, instances simulated, days in seconds. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { openAgentRuntime } from '../../src/adapters/agent/runtime.ts';
import { openSimulatedRuntime } from '../../src/adapters/simulated/runtime.ts';
import { openSqliteReadModels } from '../../src/adapters/sqlite/read-models.ts';
import type { DeployInput } from '../../src/commands/check-deployment.ts';
import { deployPlugin } from '../../src/commands/deploy-plugin.ts';
import { registerPlugin } from '../../src/commands/register-plugin.ts';
import { createTenant } from '../../src/commands/create-tenant.ts';
import { rollBackDeployment } from '../../src/commands/roll-back-deployment.ts';
import type { Ports } from '../../src/container.ts';
import { deployment } from '../../src/domain/deployment/deployment.ts';
import { statusOf, type Status } from '../../src/domain/deployment/status.ts';
import {
  type DeploymentId,
  Environment,
  PluginId,
  platformTenant,
  type SlotKey,
  TenantId,
  UserId,
} from '../../src/domain/ids.ts';
import { Registration } from '../../src/domain/registration.ts';
import { createPlatform, type Platform } from '../../src/platform.ts';
import type { RecordedEvent } from '../../src/ports/event-store.ts';
import type { ProbedRuntime } from '../../src/ports/runtime.ts';
import type { Snapshots } from '../../src/ports/snapshots.ts';
import { configurationChecks } from './configuration-checks.ts';
import { emptyMemoryLog, openMemoryEventStore } from './memory-event-store.ts';
import { createRecordingEgress } from './recording-egress.ts';
import { createRecordingLog } from './recording-log.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { openTestVault } from './test-vault.ts';
import { createVirtualClock } from './virtual-clock.ts';

const noSnapshots: Snapshots = {
  read: async () => null,
  write: async () => undefined,
  close: async () => undefined,
};

const admin = UserId.parse('usr_admin');
export const acme = TenantId.parse('acme');

export type World = Awaited<ReturnType<typeof openWorld>>;

/** @param options.seed of everything that is left to chance */
export async function openWorld(options: {
  readonly seed: string;
  readonly simulate?: string;
  /** How often due times are asked for, default a minute. */
  readonly pollMs?: number;
}) {
  const clock = createVirtualClock();
  const memory = emptyMemoryLog();
  const folder = await temporaryFolder();
  const vault = await openTestVault(clock);
  const log = createRecordingLog();
  const egress = createRecordingEgress();
  let starts = 0;
  let ports: Ports;
  let platform: Platform;
  let simulated: ProbedRuntime;

  async function start(): Promise<void> {
    starts += 1;
    let draws = 0;
    simulated = openSimulatedRuntime({ clock, seed: `${options.seed}/${starts}` });
    ports = {
      ...{ clock, snapshots: noSnapshots, vault, egress },
      random: () => (++draws * 0.618_033_988_75) % 1,
      eventStore: openMemoryEventStore({ clock, log: memory }),
      readModels: await openSqliteReadModels({ path: join(folder.path, 'read-models.db') }),
      runtimes: { chosen: 'simulated', agent: openAgentRuntime(), simulated },
    };
    platform = createPlatform(ports, { SLIPWAY_SIMULATE: options.simulate }, log, {
      pollMs: options.pollMs ?? 60_000,
    });
    await platform.projector.start();
    await platform.projector.ready();
    await platform.processes.start();
    await settle();
  }

  /** Until nobody has anything left to do at this moment. */
  async function settle(): Promise<void> {
    for (let head = null; head !== (await ports.eventStore.head());) {
      head = await ports.eventStore.head();
      await platform.prober.idle();
      await platform.processes.idle();
      await platform.webhookSender.idle();
      await platform.projector.waitFor('all', head, 1e12);
    }
  }

  async function stop(): Promise<void> {
    await platform.stop();
    await ports.readModels.close();
    await ports.eventStore.close();
    await simulated.close();
  }

  const context = () => {
    const commandId = randomUUID();
    return { commandId, correlationId: commandId, actor: { id: admin, face: 'test' }, userId: admin };
  };
  const deps = () => ({
    ...ports,
    executor: platform.executor,
    store: ports.eventStore,
    scenarioOf: platform.scenarioOf,
    occupiedSlots: platform.occupiedSlots,
    slotsBeside: platform.slotsBeside,
    webhookSecrets: platform.webhookSecrets,
    configurationChecks,
  });

  await start();
  await createTenant(deps(), context(), { tenantId: acme, name: 'Acme', subscriptionTier: 'Standard' });
  await settle();

  return {
    clock,
    log,
    egress,
    settle,
    /** Any other command. */
    async run<T>(
      command: (has: ReturnType<typeof deps>, by: ReturnType<typeof context>) => Promise<T>,
    ): Promise<T> {
      return command(deps(), context()).finally(settle);
    },
    async register(pluginId: string, version: string, tags: readonly string[] = []): Promise<void> {
      const registration = Registration.parse({
        ...{ pluginId, name: pluginId, tags },
        version: { semanticVersion: version, state: 'Stable', runtime: { type: 'DotNet8', version: '8.0' } },
      });
      const publisher = { tenant: platformTenant, role: 'PlatformAdmin' } as const;
      await registerPlugin(deps(), { ...context(), publisher }, registration);
      await settle();
    },
    async deploy(
      pluginId: string,
      pluginVersion: string,
      input: Partial<DeployInput> = {},
    ): Promise<DeploymentId> {
      const { request } = await deployPlugin(deps(), context(), {
        pluginId: PluginId.parse(pluginId),
        ...{ pluginVersion, tenantId: acme, environment: Environment.parse('Production') },
        ...input,
      });
      await settle();
      return request.deploymentId;
    },
    async rollBack(deploymentId: DeploymentId) {
      const accepted = await rollBackDeployment(deps(), context(), {
        deploymentId,
        reason: 'It hurts',
        within: null,
      });
      await settle();
      return accepted;
    },
    async pass(seconds: number): Promise<void> {
      await clock.advance(seconds * 1000, settle);
    },
    async statusOf(id: DeploymentId): Promise<Status> {
      const { state } = await platform.executor.load(deployment, id);
      if (state.phase === 'None') throw new Error(`no deployment ${id}`);
      return statusOf(state);
    },
    models: () => ports.readModels,
    async eventsOf(stream: string): Promise<readonly RecordedEvent[]> {
      return ports.eventStore.readStream(stream, { limit: 10_000 });
    },
    async instancesOf(slot: string): Promise<Record<string, number>> {
      const seen = await simulated.inspect(slot as SlotKey);
      const counts: Record<string, number> = {};
      for (const { deploymentId } of seen?.instances ?? [])
        counts[deploymentId] = (counts[deploymentId] ?? 0) + 1;
      return counts;
    },
    /** Where the log ends. */
    position: () => ports.eventStore.head(),
    get parked() {
      return platform.processes.parked();
    },
    /** As after `kill -9`: memory and instances are gone, the log is not. @param downSeconds how long nothing ran */
    async crash(downSeconds: number): Promise<void> {
      await stop();
      await clock.advance(downSeconds * 1000);
      await start();
    },
    async close(): Promise<void> {
      await stop();
      await vault.close();
      await folder.remove();
    },
  };
}
