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
import type { RunningInstance, Runtime } from '../ports/runtime.ts';

export interface ProbedDeployment {
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
  /** Whether some instance has yet to pass for the first time. */
  starting: boolean;
  /** Null while the round is under way. */
  cancel: (() => void) | null;
}

/** Also of a deployment that is otherwise asked once an hour: its progress deadline would pass unseen. */
const startUpIntervalMs = 10_000;

const actor = { id: 'process:prober', face: 'process' };

export function createProber(deps: {
  readonly runtime: Runtime;
  readonly executor: Executor;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 to 1: spreads the rounds of many deployments over their interval. */
  readonly random: () => number;
}): Prober {
  const { runtime, executor, clock, log } = deps;
  const rounds = new Map<SlotKey, Map<DeploymentId, Round>>();
  const sequences = new Map<string, number>();
  /** Instances that have passed once: until then they start up, and are asked more often than their interval says. */
  const started = new Set<string>();
  const running = new Set<Promise<void>>();
  let stopped = false;

  function schedule(round: Round, delayMs: number): void {
    round.cancel = clock.after(delayMs, () => {
      round.cancel = null;
      const run = probe(round)
        .catch((error: unknown) =>
          log.warn(
            { deploymentId: round.probed.deploymentId, error },
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
    const { deploymentId, healthCheck } = round.probed;
    round.starting = false;
    const seen = await runtime.inspect(slotKey(round.slot));
    if (seen === null) return;
    const instances = seen.instances.filter((instance) => instance.deploymentId === deploymentId);
    const asked = await Promise.all(
      instances.map((instance) => ask(instance, healthCheck.timeoutSeconds * 1000)),
    );
    const reports = asked.filter((report) => report !== null);
    if (reports.length > 0) {
      const { tenant, environment, plugin } = round.slot;
      const observed = { deploymentId, tenant, environment, plugin, epoch: seen.epoch, reports };
      await observeHealth(executor, { observed, currentEpoch: seen.epoch, actor });
    }
    if (instances.some(({ id }) => !started.has(id))) round.starting = true;
    round.beatAt = clock.monotonic();
  }

  /** Null: nothing at all came back, which is not the instance's failure but its silence. */
  async function ask(instance: RunningInstance, timeoutMs: number): Promise<Report | null> {
    const result = await runtime.probe(instance.id, timeoutMs);
    if (result === null) return null;
    if (result.outcome === 'pass') started.add(instance.id);
    const sequence = sequences.get(instance.id) ?? 0;
    sequences.set(instance.id, sequence + 1);
    return { instance: instance.id, sequence, ...result, replaces: instance.replaces };
  }

  /** Forgets the sequences of instances that are gone. */
  async function forgetGone(): Promise<void> {
    const living = new Set<string>();
    for (const slot of rounds.keys())
      for (const { id } of (await runtime.inspect(slot))?.instances ?? []) living.add(id);
    for (const id of sequences.keys()) if (!living.has(id)) forget(id);
  }

  function forget(instance: string): void {
    sequences.delete(instance);
    started.delete(instance);
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
            cancel: null,
          };
          after.set(probed.deploymentId, round);
          if (!stopped) schedule(round, deps.random() * nextInMs(round));
        }
      }
      for (const [id, round] of before) if (!after.has(id)) round.cancel?.();
      if (after.size > 0) rounds.set(key, after);
      else rounds.delete(key);
      if (sequences.size > 100_000) void forgetGone();
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
