/**
 * Time that counts. Bakes and deadlines earn it between two decisions that both saw what they need, on the monotonic clock, and never
 * more at once than the stale limit: downtime, sleep and clock jumps earn nothing. A watch lives in memory; what it counted is
 * made durable by TimeEarned, and a crash can only make a bake longer.
 */
import { isAdvancing, stageOf, type Deployment } from './deployment.ts';
import { staleAfterMs } from './health-check.ts';

/** Kept by the caller between decisions, per deployment; null at first, and after a restart. */
export interface Watch {
  /** The phase, stage and fence it belongs to: with another it starts anew. */
  readonly mark: string;
  /** Monotonic milliseconds of the first decision with this mark: silence is counted from there at the earliest. */
  readonly since: number;
  /** Monotonic milliseconds of the last decision. */
  readonly at: number;
  /** Whether time counted as of that decision. */
  readonly counting: boolean;
  /** Milliseconds earned in this phase, those made durable included. */
  readonly earnedMs: number;
}

/** What min(time since the last decision, stale limit) adds; nothing unless the evidence held at both ends. */
export function earnedSince(
  last: Watch | null,
  monotonicMs: number,
  counting: boolean,
  limitMs: number,
): number {
  return last?.counting && counting ? Math.min(Math.max(0, monotonicMs - last.at), limitMs) : 0;
}

/** Winds the watch on to now. @param counting whether what it times is under way and under evidence at this moment */
export function wind(last: Watch | null, state: Deployment, monotonicMs: number, counting: boolean): Watch {
  const mark = markOf(state);
  const same = last?.mark === mark ? last : null;
  const earned = earnedSince(same, monotonicMs, counting, staleAfterMs(state.request.healthCheck));
  return {
    mark,
    since: same?.since ?? monotonicMs,
    at: monotonicMs,
    counting,
    earnedMs: Math.max(durableMs(state), same?.earnedMs ?? 0) + earned,
  };
}

/** When silence begins to count for a deployment. */
export function watchedSince(last: Watch | null, state: Deployment, monotonicMs: number): number {
  return last?.mark === markOf(state) ? last.since : monotonicMs;
}

function markOf(state: Deployment): string {
  return `${state.phase}/${'stage' in state ? state.stage : ''}/${state.fence}`;
}

/** What the phase has earned according to the log. */
export function durableMs(state: Deployment): number {
  if (state.phase === 'Baking') return state.bakeEarnedMs;
  if (state.phase === 'Provisioning' || state.phase === 'RollingBack') return state.deadlineEarnedMs;
  return 0;
}

/** What the phase must earn to end; null where time decides nothing. */
export function neededMs(state: Deployment): number | null {
  if (state.phase === 'Baking') return stageOf(state.request, state.stage).bakeMs;
  if (state.phase === 'Provisioning') return state.request.plan.progressDeadlineMs;
  return state.phase === 'RollingBack' && state.wasCompleted ? state.request.plan.progressDeadlineMs : null;
}

/** Whether enough was earned since it was last made durable: a minute, or a twentieth of the whole. */
export function worthKeeping(state: Deployment, watch: Watch): boolean {
  const needed = neededMs(state);
  return needed !== null && watch.earnedMs - durableMs(state) >= Math.max(60_000, needed / 20);
}

/** When the caller must decide again at the latest: time passes unearned beyond the stale limit. */
export function decideAgainInMs(state: Deployment, watch: Watch): number | null {
  const needed = neededMs(state);
  const limit = staleAfterMs(state.request.healthCheck);
  if (needed === null) {
    // Silence is no news.
    return isAdvancing(state) || state.phase === 'Paused' ? limit : null;
  }
  const left = needed - watch.earnedMs;
  return left > 0 && watch.counting ? Math.min(limit, Math.ceil(left)) : limit;
}
