/**
 * The platform's own prober: asks the instances of runtimes that do not report by themselves how they are, at each deployment's
 * own interval, and records the answers. Its sequence numbers and rounds live in memory: a new process has new instances.
 */
import { observeHealth } from '../commands/observe-health.ts';
import type { Executor } from '../core/executor.ts';
import { type HealthCheck, staleAfterMs } from '../domain/deployment/health-check.ts';
import type { Report } from '../domain/deployment/evidence.ts';
import { type DeploymentId, type Slot, type SlotKey, slotKey } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { ProbedRuntime, RunningInstance } from '../ports/runtime.ts';

export interface ProbedDeployment {
  readonly runtime: Pick<ProbedRuntime, 'inspect' | 'probe'>;
  readonly deploymentId: DeploymentId;
  readonly healthCheck: HealthCheck;
}

export interface Prober {
  /** States what is to be probed in a slot; what is not named is no longer probed. */
  watch(slot: Slot, deployments: readonly ProbedDeployment[]): void;
  /** Whether every deployment watched in the slot was asked lately: the heartbeat of the prober itself. */
  alive(slot: SlotKey): boolean;
  /** Resolves when no round is under way. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

interface Round {
  readonly slot: Slot;
  readonly probed: ProbedDeployment;
  /** Monotonic milliseconds at which the last round ended, or the watch began. */
  beatAt: number;
  /** Whether some instance has yet to pass for the first time: until then all are asked more often than their interval says. */
  starting: boolean;
  /** Instances by id: the sequence number of their next report, and whether they have passed once. */
  known: Map<string, { sequence: number; started: boolean }>;
  /** Null while the round is under way. */
  cancel: (() => void) | null;
}

/** Also of a deployment that is otherwise asked once an hour: its progress deadline would pass unseen. */
const startUpIntervalMs = 10_000;

const actor = { id: 'process:prober', face: 'process' };

export function createProber(deps: {
  readonly executor: Executor;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 to 1: spreads the rounds of many deployments over their interval. */
  readonly random: () => number;
}): Prober {
  const { executor, clock, log } = deps;
  const rounds = new Map<SlotKey, Map<DeploymentId, Round>>();
  const running = new Set<Promise<void>>();
  let stopped = false;

  function schedule(round: Round, delayMs: number): void {
    round.cancel = clock.after(delayMs, () => {
      round.cancel = null;
      const run = probe(round)
        .catch((error: unknown) =>
          log.warn(
            { deploymentId: round.probed.deploymentId, err: error },
            'a round of probes failed; the next one follows',
          ),
        )
        .then(() => {
          running.delete(run);
          const stillWatched = rounds.get(slotKey(round.slot))?.get(round.probed.deploymentId) === round;
          if (stillWatched && !stopped) schedule(round, nextInMs(round));
        });
      running.add(run);
    });
  }

  /** What should run has changed: there may be fresh instances. */
  function hasten(round: Round): void {
    round.starting = true;
    // Under way, it sees them or looks again soon.
    if (round.cancel === null || stopped) return;
    round.cancel();
    schedule(round, deps.random() * nextInMs(round));
  }

  function nextInMs({ probed, starting }: Round): number {
    const intervalMs = probed.healthCheck.intervalSeconds * 1000;
    return starting ? Math.min(intervalMs, startUpIntervalMs) : intervalMs;
  }

  async function probe(round: Round): Promise<void> {
    const { deploymentId, runtime } = round.probed;
    round.starting = false;
    const seen = await runtime.inspect(slotKey(round.slot));
    if (seen === null) return;
    const instances = seen.instances.filter((instance) => instance.deploymentId === deploymentId);
    round.known = new Map(
      instances.map(({ id }) => [id, round.known.get(id) ?? { sequence: 0, started: false }]),
    );
    const asked = await Promise.all(instances.map((instance) => ask(round, instance)));
    const reports = asked.filter((report) => report !== null);
    if (reports.length > 0) {
      const { tenant, environment, plugin } = round.slot;
      const observed = { deploymentId, tenant, environment, plugin, epoch: seen.epoch, reports };
      await observeHealth(executor, { observed, currentEpoch: seen.epoch, actor });
    }
    if ([...round.known.values()].some(({ started }) => !started)) round.starting = true;
    round.beatAt = clock.monotonic();
  }

  /** Null: nothing at all came back, which is not the instance's failure but its silence. */
  async function ask({ probed, known }: Round, { id, replaces }: RunningInstance): Promise<Report | null> {
    const result = await probed.runtime.probe(id, probed.healthCheck.timeoutSeconds * 1000);
    const instance = known.get(id);
    if (result === null || !instance) return null;
    if (result.outcome === 'pass') instance.started = true;
    const { sequence } = instance;
    instance.sequence += 1;
    return { instance: id, sequence, ...result, replaces };
  }

  return {
    watch: (slot, deployments) => {
      const key = slotKey(slot);
      const before = rounds.get(key) ?? new Map<DeploymentId, Round>();
      const after = new Map<DeploymentId, Round>();
      for (const probed of deployments) {
        const known = before.get(probed.deploymentId);
        if (known) {
          after.set(probed.deploymentId, known);
          hasten(known);
        } else {
          const round: Round = {
            slot,
            probed,
            beatAt: clock.monotonic(),
            starting: true,
            known: new Map(),
            cancel: null,
          };
          after.set(probed.deploymentId, round);
          if (!stopped) schedule(round, deps.random() * nextInMs(round));
        }
      }
      for (const [id, round] of before) if (!after.has(id)) round.cancel?.();
      if (after.size > 0) rounds.set(key, after);
      else rounds.delete(key);
    },
    alive: (slot) =>
      [...(rounds.get(slot)?.values() ?? [])].every(
        ({ beatAt, probed }) => clock.monotonic() - beatAt <= staleAfterMs(probed.healthCheck),
      ),
    idle: async () => {
      while (running.size > 0) await Promise.all(running);
    },
    stop: async () => {
      stopped = true;
      for (const slot of rounds.values()) for (const round of slot.values()) round.cancel?.();
      while (running.size > 0) await Promise.all(running);
    },
  };
}
