/** Asks the instances of one deployment how they are, at its interval, and tells the platform. */
import { backoff, sleep } from '../core/waiting.ts';
import type { Clock } from '../ports/clock.ts';
import { type HealthReport, NotAnswered, type Platform, type Received } from './protocol.ts';
import type { Instances } from './simulated-instances.ts';

export interface Reporter {
  readonly slot: string;
  readonly instances: Instances;
  /** Its instances belong to a newer epoch: all are reported at once. */
  runUnder(epoch: number): void;
  /** Resolves when no report is under way. */
  idle(): Promise<void>;
  stop(): void;
  /** Resolves when it has stopped. */
  readonly ended: Promise<void>;
}

interface Deps {
  readonly platform: Platform;
  readonly clock: Clock;
  readonly random: () => number;
  readonly say: (line: string) => void;
  /** Ends everything. */
  readonly signal: AbortSignal;
  readonly within: <T>(ms: number, request: (giveUp: AbortSignal) => Promise<T>) => Promise<T>;
  readonly timeoutMs: number;
}

/** Most reports that one call takes. */
const batchSize = 500;
/** Until an instance passes for the first time, it is asked at least this often. */
const startUpIntervalMs = 10_000;
/** How often a batch is sent before what it says is too old to matter. */
const tries = 4;

export function createReporter(
  deps: Deps,
  of: {
    readonly slot: string;
    readonly epoch: number;
    readonly deploymentId: string;
    readonly intervalMs: number;
    readonly instances: Instances;
  },
): Reporter {
  const { platform, clock, random, say } = deps;
  const { slot, deploymentId, intervalMs, instances } = of;
  const stopping = new AbortController();
  const signal = AbortSignal.any([deps.signal, stopping.signal]);
  const isOver = (): boolean => signal.aborted;
  /** There is something to tell at once. */
  let urgent = false;
  const isUrgent = (): boolean => urgent;
  let epoch = of.epoch;
  let waiting = new AbortController();
  let round: Promise<void> | null = null;

  async function run(): Promise<void> {
    while (!isOver()) {
      urgent = false;
      round = tellAll();
      await round;
      round = null;
      waiting = new AbortController();
      if (!isUrgent()) await sleep(clock, nextInMs(), AbortSignal.any([signal, waiting.signal]));
    }
  }

  function nextInMs(): number {
    return instances.starting ? Math.min(intervalMs, startUpIntervalMs) : intervalMs;
  }

  async function tellAll(): Promise<void> {
    const reports = instances.ask(clock.monotonic());
    for (let at = 0; at < reports.length; at += batchSize) await tell(reports.slice(at, at + batchSize));
  }

  /** The same batch again is safe: the platform knows reports by instance and sequence. */
  async function tell(reports: readonly HealthReport[]): Promise<void> {
    const batch = { epoch, reports };
    for (let attempt = 1; attempt <= tries && !isOver(); attempt += 1) {
      try {
        hear(await deps.within(deps.timeoutMs, (giveUp) => platform.report(deploymentId, batch, giveUp)));
        return;
      } catch (error) {
        if (isOver()) return;
        if (!(error instanceof NotAnswered)) throw error;
        if (isFinal(error) || attempt === tries) {
          say(`${deploymentId}: a report was not taken (${error.message})`);
          return;
        }
        const ms = error.retryAfterMs ?? backoff(attempt, 250, intervalMs / 4) * (0.5 + random());
        await sleep(clock, ms, signal);
      }
    }
  }

  function hear({ refused, nextSequences }: Received): void {
    for (const { instance, reason } of refused) say(`${deploymentId}: ${instance} was refused: ${reason}`);
    for (const [instance, sequence] of Object.entries(nextSequences)) {
      instances.goOnWith(instance, sequence);
      urgent = true;
    }
  }

  const ended = run();
  return {
    slot,
    instances,
    runUnder: (newest) => {
      if (newest === epoch) return;
      epoch = newest;
      urgent = true;
      waiting.abort();
    },
    idle: async () => {
      while (!isOver() && (round ?? isUrgent())) await (round ?? new Promise((turn) => setImmediate(turn)));
    },
    stop: () => stopping.abort(),
    ended,
  };
}

/** Another try would be refused as well. */
function isFinal({ status }: NotAnswered): boolean {
  return status >= 400 && status < 500 && status !== 429;
}
