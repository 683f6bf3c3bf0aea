/** What a decision sees: canaries and old instances under the slot's present epoch, and who has fallen silent. */
import type { SlotState } from '../slot.ts';
import { stageIndexOf, stageOf, type Deployment, type DeploymentState } from './deployment.ts';
import { epochOf } from './desired.ts';
import { present, restarts, type Evidence, type InstanceHealth } from './evidence.ts';
import { lostAfterMs, overdueAfterMs, staleAfterMs, type HealthCheck } from './health-check.ts';
import { vanished, type Vanished } from './vanished.ts';
import { watchedSince, type Watch } from './watch.ts';

export interface Situation {
  readonly slot: SlotState;
  readonly deployment: DeploymentState;
  /** Of the deployment that is decided on. */
  readonly evidence: Evidence;
  /** What it replaces or returns to (the slot's current one; of a rollback after completion the predecessor); null: nothing. */
  readonly old: { readonly deployment: Deployment; readonly evidence: Evidence } | null;
  /**
   * Whether the platform's own prober lately gave a sign of life; always true where agents report. Of the instances that the decision
   * waits for: the new ones, or, after completion, those that it goes back to.
   */
  readonly proberAlive: boolean;
  /** Whether all rollouts of the platform are to stand still. */
  readonly frozen: boolean;
  readonly now: {
    readonly wallMs: number;
    /** On the same clock as the evidence's lastSeenAt. */
    readonly monotonicMs: number;
  };
  readonly watch: Watch | null;
}

export interface Side {
  readonly instances: readonly InstanceHealth[];
  /** Those that reported within the stale limit. */
  readonly fresh: readonly InstanceHealth[];
  /** Nobody was heard of for the stale limit. */
  readonly silent: boolean;
  /** As many as wanted are fresh, and all of the fresh are ready. */
  readonly ready: boolean;
}

export interface Sight {
  readonly wanted: number;
  readonly canaries: Side;
  readonly old: Side | null;
  /** Canaries that died after they had passed, though the platform did not stop them. */
  readonly restarted: readonly string[];
  /** Canaries that vanished and in whose place others report, though nobody said so. */
  readonly vanished: readonly Vanished[];
  /** More report than should run, and one of them is late: until it is heard or gone, nobody knows whether it was replaced. */
  readonly unsettled: boolean;
  /** How many canaries nobody has heard of for the long limit. */
  readonly lost: number;
  /** The long limit, in milliseconds. */
  readonly lostAfterMs: number;
  readonly blind: string | null;
  /** Whether what can make a rollout blind is seen again. */
  readonly sighted: boolean;
  /** Whether somebody who could tell of the canaries gave a sign of life lately: before that their time does not run. */
  readonly watched: boolean;
  /** The same of those that it goes back to. */
  readonly returnWatched: boolean;
}

export function look(situation: Situation, deployment: Deployment): Sight {
  const { slot, evidence, old, proberAlive, now, watch } = situation;
  const { request } = deployment;
  const epoch = epochOf(slot, deployment);
  const since = watchedSince(watch, deployment, now.monotonicMs);
  const side = (of: Evidence, check: HealthCheck, wanted: number): Side =>
    sideOf(present(of, epoch, check), staleAfterMs(check), wanted, now.monotonicMs, since);
  const wanted = stageOf(request, stageIndexOf(deployment)).instances;
  const canaries = side(evidence, request.healthCheck, wanted);
  const oldSide =
    old && side(old.evidence, old.deployment.request.healthCheck, old.deployment.request.totalInstances);
  const byAgent = request.runtime === 'agent';
  // Silence is compared under one monitor: what another runtime's instances say tells nothing of this one's.
  const peers = old?.deployment.request.runtime === request.runtime ? oldSide : null;
  const long = lostAfterMs(request.healthCheck, (peers && old?.deployment.request.healthCheck) ?? null);
  const heard = canaries.instances.filter((one) => heardWithin(one, long, now.monotonicMs)).length;
  const onlySilenceTells = peers !== null || byAgent;
  const someone = canaries.fresh.length > 0 || (peers?.fresh.length ?? 0) > 0;
  const stale = staleAfterMs(request.healthCheck);
  const lately = [...canaries.instances, ...(peers?.instances ?? [])].some((one) =>
    heardWithin(one, stale, now.monotonicMs),
  );
  const oldByAgent = old?.deployment.request.runtime === 'agent';
  const returning = (oldSide?.fresh.length ?? 0) > 0 || (byAgent && canaries.fresh.length > 0);
  return {
    wanted,
    canaries,
    old: oldSide,
    restarted: restarts(evidence, epoch),
    vanished: vanished(canaries, peers, wanted),
    unsettled:
      canaries.fresh.length > wanted &&
      !canaries.fresh.every((one) => heardWithin(one, overdueAfterMs(request.healthCheck), now.monotonicMs)),
    lost: now.monotonicMs - since > long ? Math.max(0, wanted - heard) : 0,
    lostAfterMs: long,
    blind: blindness(proberAlive, canaries, peers, byAgent),
    sighted: proberAlive && (someone || !onlySilenceTells),
    watched: proberAlive && (lately || !byAgent),
    returnWatched: proberAlive && (returning || !oldByAgent),
  };
}

function sideOf(
  instances: readonly InstanceHealth[],
  staleMs: number,
  wanted: number,
  now: number,
  since: number,
): Side {
  const fresh = instances.filter((one) => heardWithin(one, staleMs, now));
  return {
    instances,
    fresh,
    silent: fresh.length === 0 && now - since > staleMs,
    ready: fresh.length >= wanted && fresh.every(({ ready }) => ready),
  };
}

function heardWithin({ lastSeenAt }: InstanceHealth, ms: number, now: number): boolean {
  return lastSeenAt !== null && now - lastSeenAt <= ms;
}

/** Silence of both sides is the monitor's; of the canaries alone it is theirs, unless only an agent could tell. */
function blindness(
  proberAlive: boolean,
  canaries: Side,
  peers: Side | null,
  byAgent: boolean,
): string | null {
  if (!proberAlive) return 'The prober of the platform gives no sign of life';
  if (!canaries.silent) return null;
  if (peers) return peers.silent ? 'New and old instances are silent alike' : null;
  return byAgent ? 'The agent is silent, and there is no old instance to compare with' : null;
}
