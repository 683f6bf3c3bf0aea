/** Requests that race for one log, each as if in a process of its own, and read models that lag behind. */
import { createTenant } from '../../src/commands/create-tenant.ts';
import { deletePlugin } from '../../src/commands/delete-plugin.ts';
import type { DeployInput } from '../../src/commands/check-deployment.ts';
import { deployPlugin } from '../../src/commands/deploy-plugin.ts';
import { registerPlugin } from '../../src/commands/register-plugin.ts';
import { undeploy } from '../../src/commands/undeploy.ts';
import { createExecutor } from '../../src/core/command-executor.ts';
import { createProjector } from '../../src/core/projector.ts';
import { createSchemas } from '../../src/core/schemas.ts';
import {
  type DeploymentId,
  Environment,
  PluginId,
  type Slot,
  type SlotKey,
  slotKey,
  TenantId,
  UserId,
} from '../../src/domain/ids.ts';
import type { Registration } from '../../src/domain/registration.ts';
import { slot } from '../../src/domain/slot.ts';
import { allEvents } from '../../src/events.ts';
import type { EventStore, Position } from '../../src/ports/event-store.ts';
import type { ReadModels } from '../../src/ports/read-models.ts';
import { occupiedSlotsBeside, occupiedSlotsOf, slotsProjection } from '../../src/projections/slots.ts';
import { configurationChecks } from '../support/configuration-checks.ts';
import { openMemoryEventStore } from '../support/memory-event-store.ts';
import { openMemoryReadModels } from '../support/memory-read-models.ts';
import { developer, registration } from '../support/plugin-facts.ts';
import { createRecordingLog } from '../support/recording-log.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';
import { readableSeals, someContext } from './support.ts';

export const acme = TenantId.parse('acme');
const userId = UserId.parse('usr_admin');
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Takes its time, now a little and now a lot, before and after each operation. */
function unsteady(store: EventStore, random: SeededRandom): EventStore {
  const wait = async (): Promise<void> => {
    for (let turns = random.between(0, random.chance(0.2) ? 12 : 3); turns > 0; turns -= 1) await nextTurn();
  };
  const slowly = async <T>(act: () => Promise<T>): Promise<T> => {
    await wait();
    return act().finally(wait);
  };
  return {
    ...store,
    append: (...args) => slowly(() => store.append(...args)),
    readStream: (...args) => slowly(() => store.readStream(...args)),
  };
}

/** @param random of how long everything takes; null: as long as it must */
export async function openWorld(random: SeededRandom | null = null) {
  const disturb = (steady: EventStore): EventStore => (random ? unsteady(steady, random) : steady);
  const clock = createVirtualClock();
  const log = createRecordingLog();
  const store = openMemoryEventStore({ clock });
  const memory = openMemoryReadModels();
  const models: ReadModels = {
    ...memory,
    commit: async (...args) => {
      // Read models that lag far behind are those that a deletion must wait for.
      for (let turns = random?.between(0, 60) ?? 0; turns > 0; turns -= 1) await nextTurn();
      await memory.commit(...args);
    },
  };
  const schemas = createSchemas(allEvents);
  const projections = [slotsProjection];
  const projector = createProjector({ store: disturb(store), models, schemas, projections, clock, log });
  await projector.start();
  /** Each works as if in a process of its own: only the log is shared. */
  const actor = (its: EventStore = disturb(store)) => ({
    executor: createExecutor({ store: its, schemas, snapshots: null, clock, log }),
    ...{ store: its, clock, vault: readableSeals(), runtimes: { chosen: 'simulated' as const } },
    scenarioOf: () => null,
    configurationChecks,
    occupiedSlots: (id: PluginId, asOf: Position) => occupiedSlotsOf({ models, projector }, id, asOf),
    slotsBeside: (place: Pick<Slot, 'tenant' | 'environment'>, asOf: Position) =>
      occupiedSlotsBeside({ models, projector }, place, asOf),
  });
  const calm = actor(store);
  await createTenant(calm, someContext(), { tenantId: acme, name: 'Acme', subscriptionTier: 'Standard' });

  const publish = (sent: Registration, by = calm, context = someContext()) =>
    registerPlugin(by, { ...context, publisher: developer }, sent);
  const register = (pluginId: PluginId, by = calm, context = someContext()) =>
    publish(registration({ pluginId }), by, context);
  const deploy = (
    pluginId: PluginId,
    environment: string,
    by = calm,
    context = someContext(),
    input: Partial<DeployInput> = {},
  ) => {
    const place = { tenantId: acme, environment: Environment.parse(environment) };
    return deployPlugin(by, { ...context, userId }, { pluginId, pluginVersion: '1.0.0', ...place, ...input });
  };
  const leave = (deploymentId: DeploymentId, by = calm, context = someContext(), force = false) =>
    undeploy(by, { ...context, userId }, { deploymentId, reason: 'Over', within: null, force });
  const remove = (pluginId: PluginId, by = calm, context = someContext()) =>
    deletePlugin(by, context, pluginId);
  /** As the rollout process does it: the flight arrives, or nothing is current any more. */
  async function turn(key: SlotKey, to: 'Completed' | 'Undeployed', by = calm): Promise<void> {
    await by.executor.execute({
      ...{ aggregate: slot, id: key, tenant: acme, context: someContext() },
      decide: ({ current, flight }) => {
        const ended = to === 'Completed' ? flight?.deploymentId : flight ? undefined : current;
        if (!ended) return [];
        const after = to === 'Completed' ? ended : null;
        return [
          { type: 'SlotTurned', data: { current: after, ended, outcome: to, coolDown: null } },
        ] as const;
      },
    });
  }
  const close = async (): Promise<void> => {
    await projector.stop();
    await store.close();
  };
  return { store, clock, calm, actor, publish, register, deploy, leave, remove, turn, close };
}

export const keyIn = (pluginId: PluginId, environment: string): SlotKey =>
  slotKey({ tenant: acme, environment: Environment.parse(environment), plugin: pluginId });
