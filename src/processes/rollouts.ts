/**
 * The rollout process: a slot is its key. Every event of a slot, and every due time, asks the same question (what is so, what does
 * `decideRollout` say, what should run), so that repeated, lost and late messages need no code of their own.
 */
import { type CommandContext, type Executor } from '../core/executor.ts';
import { processContext } from '../core/context.ts';
import { deployment as deploymentAggregate, type DeploymentState } from '../domain/deployment/deployment.ts';
import { desiredSet, epochOf, involved, leading } from '../domain/deployment/desired.ts';
import type { DeploymentRequest } from '../domain/deployment/events.ts';
import { abort, interrupt } from '../domain/deployment/requests.ts';
import { decideRollout } from '../domain/deployment/rollout.ts';
import type { Situation } from '../domain/deployment/sight.ts';
import type { Watch } from '../domain/deployment/watch.ts';
import { type DeploymentId, parseSlotKey, type SlotKey } from '../domain/ids.ts';
import { freeze, freezeId } from '../domain/freeze.ts';
import { isRefusal } from '../domain/refusal.ts';
import {
  end,
  expireClaim,
  slot as slotAggregate,
  unconfirmedClaims,
  type SlotState,
} from '../domain/slot.ts';
import { health } from '../domain/health.ts';
import { retentionOf } from '../domain/retention.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore } from '../ports/event-store.ts';
import { type RuntimeKind, runtimeOf, type Runtimes, StaleEpoch } from '../ports/runtime.ts';
import type { ProbedDeployment, Prober } from './prober.ts';
import type { Witness } from './witness.ts';

/** Most steps that one wake may take; more means that two decisions undo each other. */
const maxSteps = 100;

interface Step {
  /** Whether something was appended: then ask again at once. */
  readonly moved: boolean;
  /** Otherwise, when to ask again. */
  readonly dueInMs: number | null;
}

const still: Step = { moved: false, dueInMs: null };

type Deployments = ReadonlyMap<DeploymentId, DeploymentState>;

export interface Rollouts {
  /** Brings a slot as far as it can go now. @returns milliseconds until it should be asked again; null: only news matters */
  handle(key: SlotKey): Promise<number | null>;
}

export function createRollouts(deps: {
  readonly store: Pick<EventStore, 'setRetention'>;
  readonly executor: Executor;
  readonly runtimes: Runtimes;
  readonly prober: Prober;
  readonly witness: Witness;
  readonly clock: Clock;
}): Rollouts {
  const { store, executor, runtimes, prober, witness, clock } = deps;
  const watches = new Map<DeploymentId, Watch>();
  /** Slots that this process has met: what ran in them before was stopped with the process before. */
  const met = new Set<SlotKey>();
  const ensured = new Map<SlotKey, number>();

  async function loadSlot(key: SlotKey): Promise<SlotState> {
    return (await executor.load(slotAggregate, key)).state;
  }

  async function loadDeployments(key: SlotKey, slot: SlotState): Promise<Deployments> {
    const ended = slot.lastEnded?.deploymentId;
    const ids = new Set([...involved(slot), ...(ended ? [ended] : []), ...witness.openIn(key)]);
    const loaded = [...ids].map(
      async (id) => [id, (await executor.load(deploymentAggregate, id)).state] as const,
    );
    return new Map(await Promise.all(loaded));
  }

  function contextFor(key: SlotKey, id: DeploymentId, purpose: string): CommandContext {
    return processContext({ process: 'rollouts', key, purpose, correlationId: witness.correlationOf(id) });
  }

  /**
   * The deployment is read before its slot: whoever claims a slot does so before the deployment moves, so a slot that is read later
   * explains whatever the deployment says. What changes meanwhile is decided anew.
   */
  async function decide(key: SlotKey, id: DeploymentId): Promise<Step> {
    // Taken first: what is read after it is at least as new, so that no silence is longer than it was.
    const now = { wallMs: clock.now(), monotonicMs: clock.monotonic() };
    const { state, revision } = await executor.load(deploymentAggregate, id);
    const slot = await loadSlot(key);
    // Before the first report can come.
    const reports = `${health.name}-${id}`;
    if (state.phase === 'Pending') await store.setRetention(reports, retentionOf(reports));
    const old = await oldOf(slot, id);
    const awaited = state.phase === 'RollingBack' && state.wasCompleted ? old?.deployment : state;
    const decision = decideRollout({
      ...{ slot, deployment: state, old, watch: watches.get(id) ?? null },
      evidence: await witness.evidenceOf(id),
      proberAlive:
        awaited !== undefined && awaited.phase !== 'None' && isWatched(key, awaited.request.runtime),
      frozen: (await executor.load(freeze, freezeId)).state !== null,
      now,
    });
    const { events, revision: reached } = await executor.execute({
      aggregate: deploymentAggregate,
      id,
      tenant: tenantOf(key),
      context: contextFor(key, id, `${id}@${revision}`),
      decide: (_state, now) => (now === revision ? decision.events : []),
    });
    const overtaken = events.length === 0 && reached !== revision;
    if (overtaken) return { moved: true, dueInMs: null };
    if (decision.watch) watches.set(id, decision.watch);
    const { slotEnd } = decision;
    if (slotEnd === null) return { moved: events.length > 0, dueInMs: decision.nextDueInMs };
    await executor.execute({
      aggregate: slotAggregate,
      id: key,
      tenant: tenantOf(key),
      context: contextFor(key, id, `${slotEnd.type} ${id} ${slot.fence}`),
      decide: (now) => end(now, slotEnd),
    });
    return { moved: true, dueInMs: null };
  }

  /** Whether somebody can tell how the instances are: an agent, or the platform's own prober as long as it lives. */
  function isWatched(key: SlotKey, kind: RuntimeKind): boolean {
    const runtime = runtimeOf(runtimes, kind);
    return runtime !== null && (!runtime.capabilities.probedByPlatform || prober.alive(key));
  }

  /** What a deployment replaces, or, when it goes back after its completion, what it returns to. */
  async function oldOf(slot: SlotState, id: DeploymentId): Promise<Situation['old']> {
    const { flight } = slot;
    const oldId = flight?.kind === 'rollback' && flight.deploymentId === id ? flight.to : slot.current;
    if (oldId === null || oldId === id) return null;
    const { state } = await executor.load(deploymentAggregate, oldId);
    return state.phase === 'None' ? null : { deployment: state, evidence: await witness.evidenceOf(oldId) };
  }

  /** A claim that nobody confirmed holds the slot no longer than it said. */
  async function expire(
    key: SlotKey,
    slot: SlotState,
    deployments: Deployments,
    nowMs: number,
  ): Promise<Step> {
    for (const claim of unconfirmedClaims(slot)) {
      const recorded = (deployments.get(claim.deploymentId) ?? { phase: 'None' }).phase !== 'None';
      if (recorded && slot.flight?.kind !== 'undeploy') continue;
      const { events } = await executor.execute({
        aggregate: slotAggregate,
        id: key,
        tenant: tenantOf(key),
        context: contextFor(key, claim.deploymentId, `expire ${claim.deploymentId} ${claim.expiresAt}`),
        decide: (state) => expireClaim(state, claim.deploymentId, recorded, nowMs),
      });
      const dueInMs = Math.max(1, Date.parse(claim.expiresAt) - clock.now());
      return { moved: events.length > 0, dueInMs };
    }
    return still;
  }

  /** A successor that has been recorded ends the flight that it waits for. */
  async function makeWay(
    key: SlotKey,
    { flight, successor }: SlotState,
    deployments: Deployments,
  ): Promise<Step> {
    const waiting = successor && deployments.get(successor.deploymentId);
    const flying = flight && deployments.get(flight.deploymentId);
    if (!flying || waiting?.phase !== 'Pending' || waiting.asked.abort) return still;
    const { deploymentId: next, requestedBy: by } = waiting.request;
    const abortIt = (state: DeploymentState) => {
      const decision = abort(state, { by, reason: `Deployment ${next} supersedes it` }, next);
      // It is completing, or on its way back: either ends by itself.
      return isRefusal(decision) ? [] : decision;
    };
    if (abortIt(flying).length === 0) return still;
    await executor.execute({
      aggregate: deploymentAggregate,
      id: flight.deploymentId,
      tenant: tenantOf(key),
      context: contextFor(key, next, `supersede ${flight.deploymentId} by ${next}`),
      decide: abortIt,
    });
    return { moved: true, dueInMs: null };
  }

  /** The first meeting after a start: what the platform itself stopped is no fault of the instances. */
  async function meet(key: SlotKey, deployments: Deployments): Promise<void> {
    if (met.has(key)) return;
    for (const [id, known] of deployments) {
      const runtime = known.phase === 'None' ? null : runtimeOf(runtimes, known.request.runtime);
      if (runtime?.capabilities.outlivesPlatform !== false) continue;
      const { revision } = await executor.load(deploymentAggregate, id);
      await executor.execute({
        aggregate: deploymentAggregate,
        id,
        tenant: tenantOf(key),
        context: contextFor(key, id, `interrupt ${id}@${revision}`),
        decide: (state) => interrupt(state, 'The platform restarted', clock.now()),
      });
    }
    met.add(key);
  }

  /** States to each runtime what should run there, once an epoch, and to the prober whom to ask. */
  async function reconcile(key: SlotKey, slot: SlotState, deployments: Deployments): Promise<void> {
    const lead = leading(slot);
    const epoch = epochOf(slot, (lead && deployments.get(lead)) ?? null);
    if (ensured.get(key) === epoch) return;
    const desired = desiredSet(slot, deployments);
    for (const runtime of [runtimes.simulated, runtimes.agent])
      await runtime?.ensure(
        key,
        epoch,
        desired.filter((one) => one.runtime === runtime.kind),
      );
    ensured.set(key, epoch);
    const requests = desired.flatMap(({ deploymentId }) => {
      const state = deployments.get(deploymentId);
      return state && state.phase !== 'None' ? [state.request] : [];
    });
    const parts = requests[0] ?? parseSlotKey(key);
    if (parts) prober.watch(parts, requests.flatMap(probed));
  }

  function probed({ deploymentId, healthCheck, runtime: kind }: DeploymentRequest): ProbedDeployment[] {
    const runtime = runtimeOf(runtimes, kind);
    return runtime === null || runtime.kind === 'agent' ? [] : [{ deploymentId, healthCheck, runtime }];
  }

  function forgetEnded(key: SlotKey, slot: SlotState, deployments: Deployments, asOf: number): void {
    for (const [id, state] of deployments) {
      if (slot.flight?.deploymentId === id || slot.successor?.deploymentId === id) continue;
      if (state.phase === 'Pending') continue;
      watches.delete(id);
      witness.close(key, id, { stillWatched: slot.flight !== null, asOf });
    }
  }

  return {
    handle: async (key) => {
      for (let step = 0; step < maxSteps; step += 1) {
        const asOf = witness.news(key);
        // Before it is read whether a claim was confirmed, or one that has been since would expire.
        const nowMs = clock.now();
        const slot = await loadSlot(key);
        const deployments = await loadDeployments(key, slot);
        if (!met.has(key)) {
          await meet(key, deployments);
          continue;
        }
        await reconcile(key, slot, deployments).catch((error: unknown) => {
          // A newer epoch was stated by another process, or before a restart of this one: what we read is old.
          if (!(error instanceof StaleEpoch)) throw error;
        });
        const steps = [await expire(key, slot, deployments, nowMs), await makeWay(key, slot, deployments)];
        for (const id of deployments.keys()) {
          if (steps.some(({ moved }) => moved)) break;
          steps.push(await decide(key, id));
        }
        if (steps.some(({ moved }) => moved)) continue;
        forgetEnded(key, slot, deployments, asOf);
        const dues = steps.flatMap(({ dueInMs }) => dueInMs ?? []);
        return dues.length > 0 ? Math.min(...dues) : null;
      }
      throw new Error(`slot ${key} does not come to rest within ${maxSteps} steps`);
    },
  };
}

function tenantOf(key: SlotKey): string {
  return key.slice(0, key.indexOf('.'));
}
