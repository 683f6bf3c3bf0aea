/**
 * Compares all leaves with the log, slowly and again every day: what somebody rewrote, or a disk forgot, shows without anybody asking.
 * A start looks at the newest alone.
 */
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import type { SealLeaves } from '../../ports/seals.ts';
import { sleep } from '../waiting.ts';
import { type Finding, sentenceOf } from './findings.ts';
import { type VerifyDeps, verifyLog } from './verify.ts';

/** A thousand a second, so about a hundredth of a core; each piece is a subtree whose hash is kept, and takes a few milliseconds. */
const leavesAtOnce = 256;
const everyMs = 256;
const roundMs = 24 * 3_600_000;
const againMs = 60_000;
const mostSentences = 5;

export interface Scrub {
  /** False once something was found that is not as it was sealed. */
  readonly isWhole: () => boolean;
  /** Looks at one piece. @returns milliseconds until the next one */
  step(): Promise<number>;
  start(): void;
  /** Idempotent. */
  stop(): Promise<void>;
}

export function createScrub(
  deps: Pick<VerifyDeps, 'log' | 'moves'> & {
    readonly leaves: SealLeaves;
    readonly clock: Clock;
    readonly logger: Log;
  },
): Scrub {
  const { leaves, clock, logger, ...compared } = deps;
  // Heads are compared at start, with the hashes of the subtrees that are looked at here.
  const heads = { read: async function* () {} };
  const ending = new AbortController();
  let running: Promise<void> | null = null;
  let isWhole = true;
  let { next, broken } = leaves.checked();
  /** What was found once is looked at first, so that a restart hides nothing. */
  let first = broken;
  let foundInRound = false;

  async function step(): Promise<number> {
    const size = leaves.size();
    const again = first !== null && first < size;
    const from = again ? (first ?? 0) : next;
    if (from >= size) {
      if (!foundInRound) broken = null;
      foundInRound = false;
      next = 0;
      leaves.check({ next, broken });
      return roundMs;
    }
    const to = Math.min(size, from - (from % leavesAtOnce) + leavesAtOnce);
    const findings = await findingsIn(from, to);
    const unread = findings.find(({ kind }) => kind === 'unreadable');
    if (unread) {
      logger.error({ from }, `the log could not be compared with its seals: ${sentenceOf(unread)}`);
      return againMs;
    }
    if (findings.length > 0) {
      tell(from, to, findings);
      isWhole = false;
      foundInRound = true;
      broken = from;
    }
    if (again) first = null;
    else next = to;
    leaves.check({ next, broken });
    return everyMs;
  }

  async function findingsIn(from: number, to: number): Promise<readonly Finding[]> {
    const options = { from, to, sealedAlone: true };
    const { findings } = await verifyLog({ ...compared, leaves, heads, nowMs: clock.now() }, options);
    return findings;
  }

  function tell(from: number, to: number, findings: readonly Finding[]): void {
    const told = findings.slice(0, mostSentences).map(sentenceOf).join(' ');
    logger.error(
      { from, to, findings: findings.length },
      `the log is NOT what was sealed: ${told} See all with slipway audit verify, and docs/seals.md`,
    );
  }

  async function run(): Promise<void> {
    const { signal } = ending;
    for (let waitMs = everyMs; ;) {
      await sleep(clock, waitMs, signal);
      if (signal.aborted) return;
      waitMs = await step().catch((error: unknown) => {
        logger.error({ err: error }, 'the log could not be compared with its seals; in a minute again');
        return againMs;
      });
    }
  }

  return {
    isWhole: () => isWhole,
    step,
    start() {
      running ??= run();
    },
    async stop() {
      ending.abort();
      await running;
    },
  };
}
