/**
 * A runtime without instances: it only behaves as if there were some, by a scenario and a seed. For tests, first steps and
 * `slipway demo`; every answer that shows its instances says `runtime: "simulated"`.
 */
import { createHash } from 'node:crypto';
import type { DeploymentId, SlotKey } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import {
  type DesiredDeployment,
  type ProbedRuntime,
  type ProbeResult,
  type RunningInstance,
  StaleEpoch,
} from '../../ports/runtime.ts';
import { type Condition, conditionAt, parseScenario, type Scenario } from './scenario.ts';

interface Simulated extends RunningInstance {
  readonly bornAt: number;
  readonly lot: number;
  readonly scenario: Scenario;
}

interface SlotState {
  readonly epoch: number;
  readonly instances: readonly Simulated[];
}

const healthy: Scenario = { kind: 'healthy', amount: 0 };

/** @param options.seed the same seed and the same calls give the same instances, ids and behaviour */
export function openSimulatedRuntime(options: {
  readonly clock: Clock;
  readonly seed: string;
}): ProbedRuntime {
  const slots = new Map<SlotKey, SlotState>();
  const slotOf = new Map<string, SlotKey>();
  let births = 0;

  function draw(purpose: string): Buffer {
    return createHash('sha256').update(`${options.seed}:${purpose}`).digest();
  }

  function bear(
    deploymentId: DeploymentId,
    scenario: Scenario,
    replaces: string | null,
    bornAt: number,
  ): Simulated {
    births += 1;
    const lottery = draw(`instance:${births}`);
    const id = `inst-${lottery.toString('hex', 0, 8)}`;
    return { id, deploymentId, replaces, bornAt, lot: lottery.readUInt32BE(8) / 2 ** 32, scenario };
  }

  function conditionOf(instance: Simulated): Condition {
    const age = (options.clock.monotonic() - instance.bornAt) / 1000;
    return conditionAt(instance.scenario, age, instance.lot);
  }

  /** The dead are replaced, as a supervisor would, by an instance with an id of its own. */
  function reviveDead(slot: SlotKey): SlotState | undefined {
    const state = slots.get(slot);
    if (!state?.instances.some((instance) => conditionOf(instance) === 'dead')) return state;
    const instances = state.instances.map((instance) =>
      conditionOf(instance) === 'dead'
        ? bear(instance.deploymentId, instance.scenario, instance.id, options.clock.monotonic())
        : instance,
    );
    return remember(slot, { epoch: state.epoch, instances });
  }

  function remember(slot: SlotKey, state: SlotState): SlotState {
    for (const instance of slots.get(slot)?.instances ?? []) slotOf.delete(instance.id);
    for (const instance of state.instances) slotOf.set(instance.id, slot);
    slots.set(slot, state);
    return state;
  }

  function resize(desired: DesiredDeployment, running: readonly Simulated[]): Simulated[] {
    const kept = running.filter((instance) => instance.deploymentId === desired.deploymentId);
    const scenario = (desired.scenario === null ? null : parseScenario(desired.scenario)) ?? healthy;
    while (kept.length < desired.instances)
      kept.push(bear(desired.deploymentId, scenario, null, options.clock.monotonic()));
    return kept.slice(0, desired.instances);
  }

  return {
    kind: 'simulated',
    capabilities: { probedByPlatform: true, outlivesPlatform: false },

    ensure: async (slot, epoch, desired) => {
      const before = reviveDead(slot);
      if (before && epoch < before.epoch)
        throw new StaleEpoch(`slot ${slot} is at epoch ${before.epoch}, this is ${epoch}`);
      const instances = desired.flatMap((one) => resize(one, before?.instances ?? []));
      remember(slot, { epoch, instances });
    },

    inspect: async (slot) => {
      const state = reviveDead(slot);
      if (!state) return null;
      const instances = state.instances.map(({ id, deploymentId, replaces }) => ({
        id,
        deploymentId,
        replaces,
      }));
      return { epoch: state.epoch, instances };
    },

    probe: async (instanceId): Promise<ProbeResult | null> => {
      const slot = slotOf.get(instanceId);
      const instance = slot && slots.get(slot)?.instances.find((one) => one.id === instanceId);
      if (!instance) return null;
      switch (conditionOf(instance)) {
        case 'well':
          return { outcome: 'pass', latencyMs: 5 + (draw(`${instanceId}:${births}`).readUInt8(0) % 40) };
        case 'starting':
        case 'sick':
          return { outcome: 'fail', latencyMs: 5 };
        case 'dead':
          return { outcome: 'error', latencyMs: null };
        case 'silent':
          return null;
      }
    },

    close: async () => {
      slots.clear();
      slotOf.clear();
    },
  };
}
