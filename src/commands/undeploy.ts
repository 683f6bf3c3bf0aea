/**
 * Takes a deployment out of its slot. A running rollout returns to what was there before; the current deployment leaves the slot
 * empty, unless others require it: its slot is claimed first, then they are looked for, then it leaves or is let be.
 */
import { step } from '../core/context.ts';
import { CommandRefused } from '../core/executor.ts';
import { conditional } from '../core/precondition.ts';
import { deployment } from '../domain/deployment/deployment.ts';
import type { DeploymentRequest } from '../domain/deployment/events.ts';
import { needsSlotClaim, undeploy as decide } from '../domain/deployment/requests.ts';
import { slotKey } from '../domain/ids.ts';
import { release, slot as slotAggregate } from '../domain/slot.ts';
import {
  claimUndeploy,
  confirmUndeploy,
  proposeUndeploy,
  type UndeployInput,
} from '../domain/slot-undeploy.ts';
import type { ExpectedRevision } from '../ports/event-store.ts';
import {
  answerOf,
  type AskedOfDeployment,
  knownDeployment,
  type RolloutAnswer,
  type RolloutCommandDeps,
  type UserContext,
} from './ask-of-rollout.ts';
import { type DependantsDeps, refuseBreaking } from './check-dependants.ts';

export type UndeployDeps = RolloutCommandDeps & DependantsDeps;

/** Until when it must be decided whether a deployment may leave; then the rollout process frees the slot. */
const decidedWithinMs = 30_000;

/**
 * @param asked.force leaves others without what they require
 * @throws {CommandRefused} NotFound, Forbidden (a suspended tenant), PreconditionFailed or Conflict, in this order; {NotThereYet}
 */
export async function undeploy(
  deps: UndeployDeps,
  context: UserContext,
  asked: AskedOfDeployment & { readonly force: boolean },
): Promise<RolloutAnswer> {
  const { executor } = deps;
  const { deploymentId, reason } = asked;
  const by = context.userId;
  const { known, revision: seen } = await knownDeployment(executor, asked);
  const { request } = known;
  const isClaimed = needsSlotClaim(known);
  if (isClaimed) await claimSlot(deps, context, request, { deploymentId, reason, by, seen }, asked.force);
  const { state: slot } = await executor.load(slotAggregate, slotKey(request));
  const { state, position } = await executor.execute({
    ...{ aggregate: deployment, id: deploymentId, tenant: request.tenant, context },
    decide: (now, revision) => {
      const decision = decide(now, slot, { by, reason });
      return isClaimed ? decision : conditional(context, revision, decision);
    },
  });
  return answerOf(state, position);
}

async function claimSlot(
  deps: UndeployDeps,
  context: UserContext,
  request: DeploymentRequest,
  { seen, ...input }: UndeployInput & { readonly seen: ExpectedRevision },
  force: boolean,
): Promise<void> {
  const { executor, store, clock } = deps;
  const at = { aggregate: slotAggregate, id: slotKey(request), tenant: request.tenant };
  if (force) {
    await executor.execute({
      ...{ ...at, context },
      decide: (state) => conditional(context, seen, claimUndeploy(state, input)),
    });
    return;
  }
  // A repetition may meet a proposal of its own that has expired: its revision tells the two apart.
  const { revision } = await executor.load(slotAggregate, at.id);
  const expiresAt = new Date(clock.now() + decidedWithinMs).toISOString();
  const proposed = await executor.execute({
    ...{ ...at, context: step(context, `propose undeployment after ${revision}`) },
    // Whatever happens to the deployment after `seen` begins with a claim of its own.
    decide: (state) => conditional(context, seen, proposeUndeploy(state, { ...input, expiresAt })),
  });
  const { flight } = proposed.state;
  if (flight?.kind === 'undeploy' && flight.expiresAt === null) return;
  const asOf = proposed.position ?? (await store.head());
  await refuseBreaking(deps, request, { after: null, asOf, field: 'deploymentId' }).catch(
    async (error: unknown) => {
      const why = error instanceof CommandRefused ? error.message : 'Who requires it could not be found out';
      await executor.execute({
        ...{ ...at, context: step(context, `let be after ${revision}`) },
        decide: (state) => release(state, input.deploymentId, why),
      });
      throw error;
    },
  );
  await executor.execute({
    ...{ ...at, context: step(context, `confirm undeployment after ${revision}`) },
    decide: (state) => confirmUndeploy(state, input),
  });
}
