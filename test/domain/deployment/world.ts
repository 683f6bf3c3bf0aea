/** A slot, its deployments and their instances in virtual time: what a process would do around the decisions, and no more. */
import { expect } from 'chai';
import {
  deployment,
  type Deployment,
  type DeploymentState,
} from '../../../src/domain/deployment/deployment.ts';
import { desiredSet, epochOf, leading } from '../../../src/domain/deployment/desired.ts';
import type { DeploymentEvent, DeploymentRequest } from '../../../src/domain/deployment/events.ts';
import {
  foldReports,
  noEvidence,
  type Evidence,
  type Report,
} from '../../../src/domain/deployment/evidence.ts';
import { decideRollout } from '../../../src/domain/deployment/rollout.ts';
import type { Watch } from '../../../src/domain/deployment/watch.ts';
import type { DeploymentId } from '../../../src/domain/ids.ts';
import { isRefusal, type Decision } from '../../../src/domain/refusal.ts';
import {
  claim,
  end,
  slot as slotAggregate,
  type SlotEvent,
  type SlotState,
} from '../../../src/domain/slot.ts';
import { start } from './samples.ts';

/** How an instance of a deployment behaves at a moment; null: it says nothing. */
export type Behaviour = (at: {
  readonly deploymentId: DeploymentId;
  readonly instance: number;
  readonly ms: number;
}) => Report['outcome'] | null;

export interface Happened {
  readonly ms: number;
  /** The deployment that tells it; null: the slot does. */
  readonly of: DeploymentId | null;
  readonly event: DeploymentEvent | SlotEvent;
}

export interface World {
  readonly log: Happened[];
  ms: number;
  wallOffsetMs: number;
  proberAlive: boolean;
  frozen: boolean;
  behaviour: Behaviour;
  /** How often an instance was started anew without a word. */
  restarts: (at: Parameters<Behaviour>[0]) => number;
  /** What new instances measure beside their health. */
  metrics: Readonly<Record<string, number>> | null;
  slot: SlotState;
  readonly deployments: Map<DeploymentId, DeploymentState>;
  readonly evidence: Map<DeploymentId, Evidence>;
  request(data: DeploymentRequest, options?: { supersede?: boolean; force?: boolean }): void;
  ask(id: DeploymentId, decide: (state: DeploymentState, slot: SlotState) => Decision<DeploymentEvent>): void;
  askSlot(decide: (state: SlotState) => Decision<SlotEvent>): void;
  /** Hands reports to the evidence, as many times and in whatever order a test likes. */
  deliver: (id: DeploymentId, epoch: number, reports: readonly Report[]) => void;
  /** Passes time in probe intervals of 10 s. @returns whether the condition came true */
  run(forMs: number, until?: () => boolean): boolean;
  /** The platform dies and starts again: memory is gone, and so are the instances. */
  crash(): void;
  state(id: DeploymentId): Deployment;
  types(): readonly string[];
  readonly startedInstances: Set<string>;
}

export function world(behaviour: Behaviour = () => 'pass'): World {
  let watch: Watch | null = null;
  let sequence = 0;
  let life = 0;
  const add = (id: DeploymentId, events: readonly DeploymentEvent[]): void => {
    for (const event of events) {
      deployment.events[event.type]!.data.parse(event.data);
      self.deployments.set(id, deployment.evolve(self.deployments.get(id) ?? deployment.initial, event));
      self.log.push({ ms: self.ms, of: id, event });
    }
  };
  const decide = (): void => {
    for (let rounds = 0; rounds < 20; rounds += 1) if (!decideOnce()) return;
    expect.fail('decisions never come to rest');
  };
  const decideOnce = (): boolean => {
    const before = self.log.length;
    const ids = [...new Set([leading(self.slot), ...self.deployments.keys()])].filter((id) => id !== null);
    for (const id of ids) {
      const { flight } = self.slot;
      const oldId = flight?.kind === 'rollback' ? flight.to : self.slot.current;
      const oldState = oldId === null || oldId === id ? undefined : self.deployments.get(oldId);
      const old =
        oldId !== null && oldState && oldState.phase !== 'None'
          ? { deployment: oldState, evidence: self.evidence.get(oldId) ?? noEvidence }
          : null;
      const decision = decideRollout({
        slot: self.slot,
        deployment: self.deployments.get(id) ?? deployment.initial,
        evidence: self.evidence.get(id) ?? noEvidence,
        old,
        proberAlive: self.proberAlive,
        frozen: self.frozen,
        now: { wallMs: start + self.ms + self.wallOffsetMs, monotonicMs: self.ms },
        watch: flight?.deploymentId === id ? watch : null,
      });
      add(id, decision.events);
      if (flight?.deploymentId === id) watch = decision.watch;
      const { slotEnd } = decision;
      if (slotEnd) self.askSlot((state) => end(state, slotEnd), false);
    }
    return self.log.length > before;
  };
  const probe = (): void => {
    sequence += 1;
    const lead = leading(self.slot);
    const epoch = epochOf(self.slot, lead === null ? null : (self.deployments.get(lead) ?? null));
    const known = new Map(self.deployments);
    for (const { deploymentId, instances } of desiredSet(self.slot, known)) {
      const reports: Report[] = [];
      for (let i = 0; i < instances; i += 1) {
        const at = { deploymentId, instance: i, ms: self.ms };
        const anew = self.restarts(at);
        const instance = `${deploymentId}-${life}-${i}${anew > 0 ? `.${anew}` : ''}`;
        self.startedInstances.add(instance);
        const outcome = self.behaviour(at);
        const metrics = self.metrics ? { metrics: { ...self.metrics } } : {};
        if (outcome) reports.push({ instance, sequence, outcome, latencyMs: 5, replaces: null, ...metrics });
      }
      self.deliver(deploymentId, epoch, reports);
    }
  };
  const self: World & { askSlot(decide: (state: SlotState) => Decision<SlotEvent>, settle?: boolean): void } =
    {
      log: [],
      ms: 0,
      wallOffsetMs: 0,
      proberAlive: true,
      frozen: false,
      metrics: null,
      behaviour,
      restarts: () => 0,
      slot: slotAggregate.initial,
      deployments: new Map(),
      evidence: new Map(),
      startedInstances: new Set(),
      request: (data, { supersede = false, force = false } = {}) => {
        const { deploymentId, pluginVersion, configurationHash } = data;
        const now = start + self.ms;
        const expiresAt = new Date(now + 60_000).toISOString();
        self.askSlot(
          (state) =>
            claim(state, {
              deploymentId,
              pluginVersion,
              configurationHash,
              supersede,
              force,
              now,
              expiresAt,
            }),
          false,
        );
        add(deploymentId, [{ type: 'DeploymentRequested', data }]);
        decide();
      },
      ask: (id, ask) => {
        const decision = ask(self.state(id), self.slot);
        if (isRefusal(decision)) expect.fail(decision.message);
        add(id, decision);
        decide();
      },
      askSlot: (ask, settle = true) => {
        const decision = ask(self.slot);
        if (isRefusal(decision)) expect.fail(decision.message);
        for (const event of decision) {
          self.slot = slotAggregate.evolve(self.slot, event);
          self.log.push({ ms: self.ms, of: null, event });
        }
        if (settle) decide();
      },
      deliver: (id, epoch, reports) => {
        const before = self.evidence.get(id) ?? noEvidence;
        self.evidence.set(id, foldReports(before, { epoch, reports }, self.ms));
      },
      run: (forMs, until = () => false) => {
        const stop = self.ms + forMs;
        while (self.ms < stop) {
          if (until()) return true;
          probe();
          decide();
          self.ms += 10_000;
        }
        return until();
      },
      crash: () => {
        watch = null;
        life += 1;
        for (const [id, evidence] of self.evidence) {
          const instances = Object.entries(evidence.instances).map(
            ([key, one]) => [key, { ...one, lastSeenAt: null }] as const,
          );
          self.evidence.set(id, { ...evidence, instances: Object.fromEntries(instances) });
        }
      },
      state: (id) => {
        const state = self.deployments.get(id);
        if (!state || state.phase === 'None') expect.fail(`no deployment ${id}`);
        return state;
      },
      types: () => self.log.map(({ event }) => event.type),
    };
  return self;
}
