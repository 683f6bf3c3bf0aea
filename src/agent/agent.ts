/**
 * An agent: asks the platform what should run, lets that run, and tells how it is. What it runs is simulated; everything that it says
 * and hears is the protocol of docs/agents.md. It keeps its instances whatever becomes of the platform.
 */
import type { Scenario } from '../adapters/simulated/scenario.ts';
import { backoff, sleep } from '../core/waiting.ts';
import type { Clock } from '../ports/clock.ts';
import { type AssignedDeployment, type Assignments, NotAnswered, type Platform } from './protocol.ts';
import { createReporter, type Reporter } from './reporter.ts';
import { simulateInstances } from './simulated-instances.ts';

export interface AgentOptions {
  readonly platform: Platform;
  readonly clock: Clock;
  /** Chance, 0 to 1. */
  readonly random: () => number;
  /** Never the same twice, on any agent. */
  readonly newId: () => string;
  /** How instances of a deployment behave; null: another agent runs them. */
  readonly scenarioOf: (deployment: {
    readonly pluginId: string;
    readonly version: string;
  }) => Scenario | null;
  /** A line for the operator. */
  readonly say: (line: string) => void;
  /** Longer than any answer takes, beyond what it may wait; default 15,000. */
  readonly timeoutMs?: number;
}

export interface Agent {
  /** The cursor of what runs now; null before the first answer. */
  readonly cursor: string | null;
  /** How many instances of a deployment run. */
  count(deploymentId: string): number;
  /** Resolves when the platform has answered for the first time. @throws {NotAnswered} when it refuses the key */
  readonly begun: Promise<void>;
  /** Resolves when no report is under way. */
  idle(): Promise<void>;
  /** Ends at once and without a word, as if the machine were gone. */
  stop(): Promise<void>;
}

const waitSeconds = 30;
/** An answer without news that came sooner was cut short: ask less often. */
const tooSoonMs = 1_000;

export function startAgent(options: AgentOptions): Agent {
  const { platform, clock, random, say, timeoutMs = 15_000 } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  const isOver = (): boolean => signal.aborted;
  const begun = Promise.withResolvers<undefined>();
  /** The newest epoch seen of each slot: an older one is a platform that has fallen behind. */
  const epochs = new Map<string, number>();
  const reporters = new Map<string, Reporter>();
  let cursor: string | null = null;

  /** @returns a signal that gives a request up when it takes too long, or all ends */
  function within<T>(ms: number, request: (giveUp: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController();
    const cancel = clock.after(ms, () => late.abort());
    return request(AbortSignal.any([signal, late.signal])).finally(cancel);
  }

  async function poll(): Promise<void> {
    for (let failures = 0; !isOver();) {
      const asked = clock.monotonic();
      try {
        // After trouble, what is so now is wanted at once.
        const before = failures > 0 ? null : cursor;
        const waitMs = before === null ? 0 : waitSeconds * 1000;
        const answer = await within(waitMs + timeoutMs, (giveUp) =>
          platform.assignments(before, waitSeconds, giveUp),
        );
        if (failures > 0) say('The platform answers again');
        failures = 0;
        follow(answer);
        begun.resolve(undefined);
        if (answer.cursor === before && clock.monotonic() - asked < tooSoonMs)
          await sleep(clock, tooSoonMs * (0.5 + random()), signal);
      } catch (error) {
        if (isOver()) return;
        failures += 1;
        await bear(error, failures);
      }
    }
  }

  /** Waits before the next try: longer each time, and never all agents at once. */
  async function bear(error: unknown, failures: number): Promise<void> {
    if (!(error instanceof NotAnswered)) throw error;
    if (cursor === null && (error.status === 401 || error.status === 403)) begun.reject(error);
    const ms = error.retryAfterMs ?? backoff(failures, 500, 30_000) * (0.5 + random());
    say(`${error.message}; instances go on, asking again in ${(ms / 1000).toFixed(1)} s`);
    await sleep(clock, ms, signal);
  }

  function follow(answer: Assignments): void {
    const named = new Set<string>();
    for (const { slot, epoch, deployments } of answer.assignments) {
      const newest = epochs.get(slot) ?? epoch;
      if (epoch < newest) {
        say(`${slot}: epoch ${epoch} is older than ${newest}, which was heard before; nothing changes there`);
        for (const [id, reporter] of reporters) if (reporter.slot === slot) named.add(id);
        continue;
      }
      epochs.set(slot, epoch);
      for (const deployment of deployments) {
        named.add(deployment.deploymentId);
        run(slot, epoch, deployment);
      }
    }
    for (const [id, reporter] of reporters) {
      if (named.has(id)) continue;
      reporter.stop();
      reporters.delete(id);
      say(`${id}: all ${reporter.instances.count} instances stop`);
    }
    cursor = answer.cursor;
  }

  function run(slot: string, epoch: number, deployment: AssignedDeployment): void {
    const { deploymentId, pluginId, version, instances: wanted } = deployment;
    const scenario = options.scenarioOf(deployment);
    if (!scenario) return;
    const known = reporters.get(deploymentId);
    const instances = known?.instances ?? simulateInstances({ ...options, scenario });
    const before = instances.count;
    instances.resize(wanted, clock.monotonic());
    if (before !== wanted)
      say(`${pluginId} ${version} (${deploymentId}): ${before} → ${wanted} instances, ${scenario.kind}`);
    if (known) {
      known.runUnder(epoch);
      return;
    }
    const intervalMs = deployment.healthCheck.intervalSeconds * 1000;
    const asked = { slot, epoch, deploymentId, intervalMs, instances };
    const reporter = createReporter({ platform, clock, random, say, signal, within, timeoutMs }, asked);
    reporters.set(deploymentId, reporter);
  }

  // Whoever does not ask whether it began is not told that it did not.
  begun.promise.catch(() => undefined);
  const polling = poll();
  return {
    get cursor() {
      return cursor;
    },
    begun: begun.promise,
    count: (id) => reporters.get(id)?.instances.count ?? 0,
    idle: async () => {
      await Promise.all([...reporters.values()].map((reporter) => reporter.idle()));
    },
    stop: async () => {
      stopping.abort();
      await polling;
      await Promise.all([...reporters.values()].map((reporter) => reporter.ended));
    },
  };
}
