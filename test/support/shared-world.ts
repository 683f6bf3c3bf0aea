/** Several processes of one platform on a virtual clock: an API that nobody stops, and workers that are. Plugins run where agents are. */
import { openAgentRuntime } from '../../src/adapters/agent/runtime.ts';
import type { DeployInput } from '../../src/commands/check-deployment.ts';
import { createTenant } from '../../src/commands/create-tenant.ts';
import { deployPlugin } from '../../src/commands/deploy-plugin.ts';
import { registerPlugin } from '../../src/commands/register-plugin.ts';
import { reportHealth } from '../../src/commands/report-health.ts';
import type { Ports } from '../../src/container.ts';
import { NotThereYet } from '../../src/core/consistency.ts';
import { derivedId } from '../../src/core/context.ts';
import { standingOf } from '../../src/core/slot-standing.ts';
import { deployment } from '../../src/domain/deployment/deployment.ts';
import { statusOf } from '../../src/domain/deployment/status.ts';
import {
  Environment,
  PluginId,
  platformTenant,
  slotKey,
  TenantId,
  UserId,
  type DeploymentId,
} from '../../src/domain/ids.ts';
import { Registration } from '../../src/domain/registration.ts';
import { createPlatform, type Platform } from '../../src/platform.ts';
import { StaleFence, type ReadModels } from '../../src/ports/read-models.ts';
import type { ServerRole } from '../../src/roles.ts';
import { configurationChecks } from './configuration-checks.ts';
import { emptyMemoryLog, openMemoryEventStore } from './memory-event-store.ts';
import { openMemoryLeases } from './memory-leases.ts';
import { openMemoryReadModels } from './memory-read-models.ts';
import { openMemoryVault } from './memory-vault.ts';
import { createRecordingEgress } from './recording-egress.ts';
import { createRecordingLog } from './recording-log.ts';
import { stoppable, type Moment, type StoppableProcess } from './stoppable-ports.ts';
import { createVirtualClock } from './virtual-clock.ts';

export interface Worker {
  readonly process: StoppableProcess;
  goOn(): void;
  readonly platform: Platform;
  /** Events that it decided on since it was continued, and was the first to append, by their types. */
  readonly appendedLate: readonly string[];
}

const acme = TenantId.parse('acme');
const production = Environment.parse('Production');
const admin = UserId.parse('usr_admin');
const seconds = 1_000;

export type SharedWorld = Awaited<ReturnType<typeof openSharedWorld>>;

/** @param options.fences `ignored`: the fault that the test must find */
export async function openSharedWorld(options: { readonly seed: string; readonly fences?: 'ignored' }) {
  const clock = createVirtualClock();
  let drawn = 0;
  const newId = (): string => derivedId('shared', options.seed, String((drawn += 1)));
  const memory = emptyMemoryLog(newId());
  const log = createRecordingLog();
  /** Accepted commits that showed a lower fence than one before. */
  const overtaken: string[] = [];
  let refused = 0;
  const highest = new Map<string, number>();
  const models = openMemoryReadModels();
  const watched: ReadModels = {
    ...models,
    async fence(generation, fence) {
      await models.fence(generation, fence);
      highest.set(generation.projection, fence);
    },
    async commit(generation, writes, checkpoint, fence) {
      try {
        await models.commit(generation, writes, checkpoint, options.fences === 'ignored' ? undefined : fence);
      } catch (error) {
        if (error instanceof StaleFence) refused += 1;
        throw error;
      }
      const known = highest.get(generation.projection) ?? 0;
      if ((fence ?? 0) < known) overtaken.push(`${generation.projection}: ${String(fence)} after ${known}`);
    },
  };
  const shared: Omit<Ports, 'runtimes'> = {
    ...{ clock, newId, random: () => 0.5, egress: createRecordingEgress() },
    eventStore: openMemoryEventStore({ clock, log: memory }),
    readModels: watched,
    snapshots: { read: async () => null, write: async () => undefined, close: async () => undefined },
    vault: openMemoryVault(clock),
    leases: openMemoryLeases(clock),
  };
  const platforms: Platform[] = [];

  async function start(ports: Ports, roles: readonly ServerRole[]): Promise<Platform> {
    const platform = createPlatform(ports, {}, log, { cachedStates: 200, roles });
    platforms.push(platform);
    await platform.projector.start();
    if (roles.includes('processes')) await platform.processes.start();
    return platform;
  }

  const own = (): Ports => ({
    ...shared,
    runtimes: { chosen: 'agent', agent: openAgentRuntime(), simulated: null },
  });
  const api = await start(own(), ['api']);
  const slots = new Set<string>();
  let sequence = 0;

  /** @param passes as of `stoppable` */
  async function startWorker(
    passes: (moment: Moment, process: StoppableProcess) => void = () => undefined,
  ): Promise<Worker> {
    const appendedLate: string[] = [];
    let continued = false;
    /** On its way when it was stopped: it counts where nobody has moved the stream since, as if it had come in time. */
    const sent = new Set<string>();
    const ports: Ports = {
      ...own(),
      eventStore: {
        ...shared.eventStore,
        async append(stream, expected, events) {
          const known = new Set(memory.everything.map(({ id }) => id));
          const appended = await shared.eventStore.append(stream, expected, events);
          for (const { id, type } of events)
            if (continued && !known.has(id) && !sent.has(id)) appendedLate.push(type);
          return appended;
        },
      },
    };
    const process: StoppableProcess = stoppable(ports, (moment) => passes(moment, process));
    const goOn = (): void => {
      continued = true;
      process.goOn();
    };
    const platform = await start(
      {
        ...process.ports,
        eventStore: {
          ...process.ports.eventStore,
          append: (stream, expected, events) => {
            if (!continued) for (const { id } of events) sent.add(id);
            return process.ports.eventStore.append(stream, expected, events);
          },
        },
      },
      ['projector', 'processes'],
    );
    await turns();
    return { process, goOn, platform, appendedLate };
  }

  const context = () => {
    const commandId = newId();
    return { commandId, correlationId: commandId, actor: { id: admin, face: 'test' }, userId: admin };
  };
  const deps = {
    ...own(),
    executor: api.executor,
    store: shared.eventStore,
    ...{ scenarioOf: api.scenarioOf, occupiedSlots: api.occupiedSlots, slotsBeside: api.slotsBeside },
    ...{ webhookSecrets: api.webhookSecrets, configurationChecks },
  };

  /** Everybody who is not stopped does what there is to do at this moment. */
  async function turns(): Promise<void> {
    for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Whoever waits for another process needs time to pass. */
  async function during<T>(asked: Promise<T>): Promise<T> {
    const state = { settled: false };
    const settle = (): void => {
      state.settled = true;
    };
    asked.then(settle, settle);
    for (let waited = 0; !state.settled; waited += 20) {
      if (waited > 60_000) throw new Error('a command did not end within a minute');
      await clock.advance(20, turns);
    }
    return asked;
  }

  /** As clients do who are answered 503: the same again, a second later. */
  async function again<T>(
    command: (by: ReturnType<typeof context> & { readonly mayRepeat: boolean }) => Promise<T>,
  ): Promise<T> {
    const by = context();
    for (let mayRepeat = false; ; mayRepeat = true)
      try {
        return await during(command({ ...by, mayRepeat }));
      } catch (error) {
        if (!(error instanceof NotThereYet)) throw error;
        await clock.advance(seconds, turns);
      }
  }

  /** Agents run what should run, and say that it is well. */
  async function report(): Promise<void> {
    for (const slot of slots) {
      const { epoch, desired } = await standingOf(api.executor, slot as Parameters<typeof standingOf>[1]);
      for (const { deploymentId, instances } of desired) {
        sequence += 1;
        const reports = Array.from({ length: instances }, (_, index) => ({
          ...{ instance: `${deploymentId}-${index}`, sequence, outcome: 'pass' as const },
          ...{ latencyMs: 5, replaces: null },
        }));
        const place = { tenant: acme, environment: production };
        await reportHealth(api.executor, context(), { place, deploymentId, epoch, reports });
      }
    }
  }

  return {
    clock,
    everything: memory.everything,
    log,
    overtaken,
    get refused() {
      return refused;
    },
    api,
    startWorker,
    during,
    async createTenant(): Promise<void> {
      const asked = { tenantId: acme, name: 'Acme', subscriptionTier: 'Standard' } as const;
      await during(createTenant(deps, context(), asked));
    },
    async register(pluginId: string, version: string): Promise<void> {
      const registration = Registration.parse({
        ...{ pluginId, name: pluginId },
        version: { semanticVersion: version, state: 'Stable', runtime: { type: 'DotNet8', version: '8.0' } },
      });
      const publisher = { tenant: platformTenant, role: 'PlatformAdmin' } as const;
      await during(registerPlugin(deps, { ...context(), publisher }, registration));
    },
    async deploy(
      pluginId: string,
      pluginVersion: string,
      input: Partial<DeployInput> = {},
    ): Promise<DeploymentId> {
      const asked = {
        pluginId: PluginId.parse(pluginId),
        ...{ pluginVersion, tenantId: acme, environment: production },
        ...input,
      };
      const { request } = await again((by) => deployPlugin(deps, by, asked));
      slots.add(slotKey(request));
      return request.deploymentId;
    },
    async statusOf(id: DeploymentId) {
      const { state } = await api.executor.load(deployment, id);
      if (state.phase === 'None') throw new Error(`no deployment ${id}`);
      return statusOf(state);
    },
    /** Time passes; agents report every five seconds. @param ends asked every second */
    async pass(ms: number, ends: () => boolean = () => false): Promise<void> {
      for (let passed = 0; passed < ms && !ends(); passed += seconds) {
        await clock.advance(seconds, turns);
        if (passed % (5 * seconds) === 0) await report();
      }
    },
    async close(): Promise<void> {
      const stopped = Promise.all(platforms.map((platform) => platform.stop()));
      await during(stopped);
      await shared.eventStore.close();
    },
  };
}
