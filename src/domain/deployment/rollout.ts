/**
 * What a rollout does next: one pure function of what is known and of the time. Always decided in one order, so that nothing that can
 * fail runs before it: undeploy and abort, blind, failure, deadline, stale, approval, advance.
 */
import type { SlotEnd } from '../slot.ts';
import {
  isAdvancing,
  stageOf,
  type Advancing,
  type Deployment,
  type In,
  type StageProgress,
} from './deployment.ts';
import { ending, withdraw } from './ending.ts';
import type { DeploymentEvent, PauseReason, RollbackCause, RollbackOutcome } from './events.ts';
import {
  deadlinePassed,
  failure,
  inconclusive,
  lostCanaries,
  proof,
  type Finding,
  unheard,
} from './findings.ts';
import { passesNeeded } from './health-check.ts';
import { look, type Sight, type Situation } from './sight.ts';
import { decideAgainInMs, durableMs, neededMs, wind, worthKeeping, type Watch } from './watch.ts';

export interface RolloutDecision {
  /** For the deployment's stream. */
  readonly events: readonly DeploymentEvent[];
  /** For the slot's stream, by `end` of slot.ts, after the events; then decide again. */
  readonly slotEnd: SlotEnd | null;
  /** To be handed to the next decision on this deployment. */
  readonly watch: Watch | null;
  /** Decide again at the latest after this; null: only news can change anything. */
  readonly nextDueInMs: number | null;
}

/**
 * Asked by a process in a loop: load the deployment, then its slot (a slot read before the claim would look as if the claim were
 * gone), then the evidence; decide; append; again until nothing is new. The same question at the same instant, after its answer was
 * appended, answers nothing.
 */
export function decideRollout(situation: Situation): RolloutDecision {
  const { deployment, slot, now, watch } = situation;
  if (deployment.phase === 'None') return nothing(null);
  if (deployment.phase === 'Pending') {
    // A freeze lets nothing begin; who asked may still withdraw.
    if (situation.frozen && !deployment.asked.abort) return nothing(null);
    if (slot.flight?.deploymentId === deployment.request.deploymentId && !deployment.asked.abort)
      return { ...nothing(null), events: [startStage(deployment, 0, now.wallMs)], nextDueInMs: 0 };
    return { ...nothing(null), ...withdraw(slot, deployment, now.wallMs) };
  }
  const moving = isAdvancing(deployment) || deployment.phase === 'Paused';
  if (!moving && deployment.phase !== 'RollingBack')
    return { ...nothing(null), ...ending(slot, deployment, now.wallMs) };

  const sight = look(situation, deployment);
  const wound = wind(watch, deployment, now.monotonicMs, counts(deployment, sight, situation.frozen));
  if (!moving) {
    const end = ending(slot, deployment, now.wallMs, { oldReady: sight.old?.ready === true, watch: wound });
    return {
      events: kept(deployment, wound, now.wallMs),
      slotEnd: null,
      ...end,
      watch: wound,
      nextDueInMs: decideAgainInMs(deployment, wound),
    };
  }
  const events = climb({ ...situation, deployment, sight, watch: wound });
  return {
    events: events.length > 0 ? events : kept(deployment, wound, now.wallMs),
    slotEnd: null,
    watch: wound,
    nextDueInMs: events.length > 0 ? 0 : decideAgainInMs(deployment, wound),
  };
}

function nothing(watch: Watch | null): RolloutDecision {
  return { events: [], slotEnd: null, watch, nextDueInMs: null };
}

type Moving = In<Advancing['phase'] | 'Paused'>;
type View = Omit<Situation, 'deployment' | 'watch'> & {
  readonly deployment: Moving;
  readonly sight: Sight;
  readonly watch: Watch;
};

/** The ladder. Undeploy is not on it: its event leaves the phases that are judged. */
function climb(view: View): readonly DeploymentEvent[] {
  const { deployment, sight, now } = view;
  const { abort } = deployment.asked;
  if (abort) {
    const finding = { reason: abort.reason, evidence: [] };
    return abort.supersededBy
      ? goBack(view, 'superseded', 'Superseded', finding)
      : goBack(view, 'abort', 'Cancelled', finding);
  }

  const paused = deployment.phase === 'Paused' ? deployment : null;
  if (sight.blind) return paused ? [] : [pause('MonitorBlind', sight.blind, unheard(sight))];
  if (paused?.cause === 'MonitorBlind') return sight.sighted ? [resumeSighted(deployment, now.wallMs)] : [];

  const finding = failure(deployment, sight) ?? overdue(view) ?? silence(view);
  if (finding) return fail(view, finding);
  if (deployment.phase === 'Approval') return expired(deployment, now.wallMs) ? expire(view) : [];
  return advance(view);
}

function overdue({ deployment, sight, watch }: View): Finding | null {
  if (deployment.phase !== 'Provisioning' || sight.canaries.ready) return null;
  return watch.earnedMs >= deployment.request.plan.progressDeadlineMs
    ? deadlinePassed(deployment, sight)
    : null;
}

/** Of a stage whose instances were ready once, paused or not: before that the deadline judges silence as well. */
function silence({ deployment, sight }: View): Finding | null {
  const { phase } = deployment.phase === 'Paused' ? deployment.from : deployment;
  return phase === 'Provisioning' ? null : lostCanaries(sight);
}

/** Goes back, unless a person was to decide, or what it would go back to is itself unhealthy while the canaries are well. */
function fail(view: View, finding: Finding): readonly DeploymentEvent[] {
  const { deployment, slot } = view;
  if (deployment.request.plan.onFailure === 'pause') {
    const paused = deployment.phase === 'Paused' && deployment.cause === 'Failure';
    return paused ? [] : [pause('Failure', inWords(finding), finding.evidence)];
  }
  return back(view, 'automatic', slot.current === null ? 'Failed' : 'RolledBack', finding);
}

/** By itself, and so never to an old version that is unhealthy while the canaries are well. */
function back(
  view: View,
  cause: 'automatic' | 'approvalExpired',
  outcome: RollbackOutcome,
  finding: Finding,
): readonly DeploymentEvent[] {
  const { deployment, sight } = view;
  const threshold = view.old?.deployment.request.healthCheck.failureThreshold ?? Infinity;
  const oldSick = sight.old?.instances.some(({ lastingFailures }) => lastingFailures >= threshold) === true;
  if (!oldSick || !sight.canaries.ready) return goBack(view, cause, outcome, finding);
  if (deployment.phase === 'Paused' && deployment.cause === 'PreviousUnhealthy') return [];
  const words = `${inWords(finding)}; but the old version is unhealthy and the new instances answer: a person must choose`;
  return [pause('PreviousUnhealthy', words, finding.evidence)];
}

function expired(deployment: In<'Approval'>, wallMs: number): boolean {
  return wallMs >= Date.parse(deployment.expiresAt);
}

function expire(view: View): readonly DeploymentEvent[] {
  const reason = 'Nobody approved the stage in time';
  return back(view, 'approvalExpired', 'Cancelled', { reason, evidence: [] });
}

/** Rule 7. No evidence is never success. */
function advance(view: View): readonly DeploymentEvent[] {
  const { deployment, sight, now } = view;
  if (!sight.canaries.ready || !isAdvancing(deployment)) return [];
  const stage = stageOf(deployment.request, deployment.stage);
  if (deployment.phase === 'Provisioning') {
    const { instances, percent } = stage;
    const dueAt = iso(now.wallMs + Math.max(0, stage.bakeMs - deployment.bakeEarnedMs));
    return [{ type: 'CanaryStageReached', data: { stage: deployment.stage, instances, percent, dueAt } }];
  }
  if (view.frozen || !mayAdvance(view, stage.bakeMs)) return [];
  const unsure = deployment.asked.promote ? [] : inconclusive(deployment, sight);
  if (unsure.length > 0) {
    return [pause('Inconclusive', `Too few requests to judge ${unsure.join(', ')} at the end of the bake`)];
  }
  const evidence = [...proof(deployment, sight, view.watch.earnedMs)];
  if (stage.approval && !deployment.approval?.approved)
    return [askApproval(deployment, now.wallMs, evidence)];
  const next = deployment.stage + 1;
  return next < deployment.request.plan.stages.length
    ? [startStage(deployment, next, now.wallMs, evidence)]
    : [{ type: 'PromotionStarted', data: { evidence } }];
}

/** When may a canary advance? When it has baked long enough (or a person promotes it) and each instance has shown enough. */
function mayAdvance({ deployment, sight, watch }: View, bakeMs: number): boolean {
  const needed = passesNeeded(deployment.request.healthCheck);
  return (
    !sight.unsettled &&
    (deployment.asked.promote || watch.earnedMs >= bakeMs) &&
    sight.canaries.fresh.every(({ passes, passesInARow }) => passes >= needed && passesInARow >= 2)
  );
}

const approvalMs = 24 * 3600_000;

function askApproval(
  { stage, approval }: StageProgress,
  wallMs: number,
  evidence: string[],
): DeploymentEvent {
  const expiresAt = approval?.expiresAt ?? iso(wallMs + approvalMs);
  return { type: 'ApprovalRequested', data: { stage, expiresAt, evidence } };
}

function startStage(
  deployment: Deployment,
  stage: number,
  wallMs: number,
  evidence?: string[],
): DeploymentEvent {
  const { instances } = stageOf(deployment.request, stage);
  const dueAt = iso(wallMs + deployment.request.plan.progressDeadlineMs);
  return {
    type: 'StageStarted',
    data: { stage, instances, fence: deployment.fence + 1, dueAt, ...(evidence && { evidence }) },
  };
}

function pause(cause: PauseReason, reason: string, evidence?: readonly string[]): DeploymentEvent {
  const shown = evidence && { evidence: [...evidence] };
  return { type: 'RolloutPaused', data: { cause, reason, by: null, ...shown } };
}

function resumeSighted(deployment: Moving, wallMs: number): DeploymentEvent {
  const reason = 'The monitor sees again';
  return {
    type: 'RolloutResumed',
    data: { by: null, reason, fence: deployment.fence + 1, dueAt: iso(wallMs) },
  };
}

function goBack(
  { deployment, slot, now }: View,
  cause: RollbackCause,
  outcome: RollbackOutcome,
  { reason, evidence }: Finding,
): readonly DeploymentEvent[] {
  const fence = deployment.fence + 1;
  const to = slot.current;
  const end = { to, outcome, wasCompleted: false, by: null, fence, dueAt: iso(now.wallMs) };
  return [{ type: 'RollbackStarted', data: { cause, reason, evidence: [...evidence], ...end } }];
}

function inWords({ reason, evidence }: Finding): string {
  return [reason, ...evidence.slice(0, 3)].join('; ').slice(0, 800);
}

/** A bake counts only under fresh evidence of ready canaries; a deadline while somebody can tell how those are that it waits for. */
function counts(deployment: Deployment, sight: Sight, frozen: boolean): boolean {
  if (deployment.phase === 'Baking') return !frozen && sight.canaries.ready && sight.blind === null;
  if (deployment.phase === 'Provisioning') return sight.blind === null && sight.watched;
  return deployment.phase === 'RollingBack' && deployment.wasCompleted && sight.returnWatched;
}

/** Time worth keeping against a crash. */
function kept(deployment: Deployment, watch: Watch, wallMs: number): readonly DeploymentEvent[] {
  if (!worthKeeping(deployment, watch)) return [];
  const earned = Math.floor(watch.earnedMs);
  const left = Math.max(0, (neededMs(deployment) ?? 0) - earned);
  const [bakeEarnedMs, deadlineEarnedMs] =
    deployment.phase === 'Baking'
      ? [earned, deployment.deadlineEarnedMs]
      : ['bakeEarnedMs' in deployment ? deployment.bakeEarnedMs : 0, earned];
  if (earned <= durableMs(deployment)) return [];
  const stage = deployment.phase === 'RollingBack' || !('stage' in deployment) ? null : deployment.stage;
  return [{ type: 'TimeEarned', data: { stage, bakeEarnedMs, deadlineEarnedMs, dueAt: iso(wallMs + left) } }];
}

export function iso(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
