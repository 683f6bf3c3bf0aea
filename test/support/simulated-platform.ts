/** A whole platform on a virtual clock: the log in memory, instances simulated, days in seconds. */
import { join } from 'node:path';
import { openAgentRuntime } from '../../src/adapters/agent/runtime.ts';
import { openSimulatedRuntime } from '../../src/adapters/simulated/runtime.ts';
import { openSqliteReadModels } from '../../src/adapters/sqlite/read-models.ts';
import type { DeployInput } from '../../src/commands/check-deployment.ts';
import { deployPlugin } from '../../src/commands/deploy-plugin.ts';
import { registerPlugin } from '../../src/commands/register-plugin.ts';
import { derivedId } from '../../src/core/context.ts';
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
import { Killed, mortal, type Life, type Step } from './mortal-ports.ts';
import { openMemoryReadModels, type MemoryModels } from './memory-read-models.ts';
import { openMemoryVault } from './memory-vault.ts';
import { createRecordingEgress } from './recording-egress.ts';
import { createRecordingLog } from './recording-log.ts';
import type { Down } from './stage-faults.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { createVirtualClock } from './virtual-clock.ts';

const noSnapshots: Snapshots = {
  read: async () => null,
  write: async () => undefined,
  close: async () => undefined,
};

const admin = UserId.parse('usr_admin');
export const acme = TenantId.parse('acme');

export type World = Awaited<ReturnType<typeof openWorld>>;

/** The same seed and the same calls give the same events, with their ids, times and metadata. */
export async function openWorld(options: {
  /** Of everything that is left to chance. */
  readonly seed: string;
  readonly simulate?: string;
  /** How often due times are asked for, default a minute. */
  readonly pollMs?: number;
  /** Read models in a file, as a server has them. They answer when their threads do: events then differ in their order. */
  readonly onDisk?: boolean;
  /** Where new deployments run, default `simulated`. */
  readonly runtime?: 'simulated' | 'agent';
  /** Whether the platform is killed at a step, default never. It is started again at once. */
  readonly dies?: (step: Step) => boolean;
  /** UUIDs; default those of the seed. */
  readonly newId?: () => string;
}) {
  const clock = createVirtualClock();
  let idsDrawn = 0;
  const newId =
    options.newId ?? ((): string => derivedId('simulated', options.seed, String((idsDrawn += 1))));
  const memory = emptyMemoryLog(newId());
  const models: MemoryModels = new Map();
  const folder = options.onDisk ? await temporaryFolder() : null;
  const vault = openMemoryVault(clock);
  const log = createRecordingLog();
  const egress = createRecordingEgress();
  const downs: Down[] = [];
  let starts = 0;
  let life: Life;
  let ports: Ports;
  let platform: Platform;
  let simulated: ProbedRuntime;

  async function start(): Promise<void> {
    starts += 1;
    let draws = 0;
    simulated = openSimulatedRuntime({ clock, seed: `${options.seed}/${starts}` });
    const whole: Ports = {
      ...{ clock, newId, snapshots: noSnapshots, vault, egress, leases: null },
      random: () => (++draws * 0.618_033_988_75) % 1,
      eventStore: openMemoryEventStore({ clock, log: memory }),
      readModels: folder
        ? await openSqliteReadModels({ path: join(folder.path, 'read-models.db') })
        : openMemoryReadModels(models),
      runtimes: { chosen: options.runtime ?? 'simulated', agent: openAgentRuntime(), simulated },
    };
    life = mortal(whole, options.dies ?? (() => false));
    ports = life.ports;
    platform = createPlatform(ports, { SLIPWAY_SIMULATE: options.simulate }, log, {
      pollMs: options.pollMs ?? 60_000,
      // Room for ten thousand is made at every start.
      cachedStates: 200,
    });
    await platform.projector.start();
    await platform.processes.start();
    await settle();
  }

  /** Until nobody has anything left to do at this moment. Who was killed is started again. */
  async function settle(): Promise<void> {
    const resting = rest();
    await Promise.race([resting, life.death]).catch(expectKilled);
    if (!life.over) return;
    resting.catch(expectKilled);
    await restart(0);
  }

  async function rest(): Promise<void> {
    for (let head = null; head !== (await ports.eventStore.head()) && !life.over;) {
      head = await ports.eventStore.head();
      await platform.prober.idle();
      await platform.processes.idle();
      await platform.webhookSender.idle();
      await platform.projector.waitFor('all', head, 1e12);
    }
  }

  async function restart(downSeconds: number): Promise<void> {
    const from = clock.now();
    await stop();
    await clock.advance(downSeconds * 1000);
    downs.push({ from, until: clock.now() });
    await start();
  }

  async function stop(): Promise<void> {
    await platform.stop();
    await ports.readModels.close();
    await ports.eventStore.close();
    await simulated.close();
  }

  const context = () => {
    const commandId = newId();
    return {
      commandId,
      correlationId: commandId,
      mayRepeat: false,
      actor: { id: admin, face: 'test' },
      userId: admin,
    };
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

  /** Asks for one thing; what a kill cut off is asked again, as clients do, under the same id. */
  async function ask<T>(
    command: (has: ReturnType<typeof deps>, by: ReturnType<typeof context>) => Promise<T>,
  ): Promise<T> {
    const by = context();
    for (let again = false; ; again = true) {
      try {
        const asked = command(deps(), again ? { ...by, mayRepeat: true } : by);
        asked.catch(() => undefined);
        return await Promise.race([asked, life.death]);
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
      } finally {
        await settle();
      }
    }
  }

  await start();
  await ask((has, by) =>
    createTenant(has, by, { tenantId: acme, name: 'Acme', subscriptionTier: 'Standard' }),
  );

  return {
    clock,
    log,
    egress,
    /** When the platform was away. */
    downs,
    /** Every event that was ever appended, in log order. */
    everything: memory.everything,
    settle,
    run: ask,
    async register(pluginId: string, version: string, tags: readonly string[] = []): Promise<void> {
      const registration = Registration.parse({
        ...{ pluginId, name: pluginId, tags },
        version: { semanticVersion: version, state: 'Stable', runtime: { type: 'DotNet8', version: '8.0' } },
      });
      const publisher = { tenant: platformTenant, role: 'PlatformAdmin' } as const;
      await ask((has, by) => registerPlugin(has, { ...by, publisher }, registration));
    },
    async deploy(
      pluginId: string,
      pluginVersion: string,
      input: Partial<DeployInput> = {},
    ): Promise<DeploymentId> {
      const asked = {
        pluginId: PluginId.parse(pluginId),
        ...{ pluginVersion, tenantId: acme, environment: Environment.parse('Production') },
        ...input,
      };
      const { request } = await ask((has, by) => deployPlugin(has, by, asked));
      return request.deploymentId;
    },
    async rollBack(deploymentId: DeploymentId) {
      const asked = { deploymentId, reason: 'It hurts', within: null };
      return ask((has, by) => rollBackDeployment(has, by, asked));
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
    crash: restart,
    async close(): Promise<void> {
      await stop();
      await folder?.remove();
    },
  };
}

function expectKilled(error: unknown): void {
  if (!(error instanceof Killed)) throw error;
}
