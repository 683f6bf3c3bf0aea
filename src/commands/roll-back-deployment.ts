/** Rolls a running rollout, or the completed deployment that is current, back to the version before it. */
import { conditional } from '../core/precondition.ts';
import { deployment, type Deployment } from '../domain/deployment/deployment.ts';
import { deploymentEvents } from '../domain/deployment/events.ts';
import { needsSlotClaim, requestRollback } from '../domain/deployment/requests.ts';
import { type DeploymentId, slotKey } from '../domain/ids.ts';
import { claimRollback, slot as slotAggregate } from '../domain/slot.ts';
import type { EventStore, Position } from '../ports/event-store.ts';
import {
  type AskedOfDeployment,
  knownDeployment,
  type RolloutCommandDeps,
  type UserContext,
} from './ask-of-rollout.ts';
import { backwards } from './claimed-before.ts';

export interface RollbackAccepted {
  readonly deploymentId: DeploymentId;
  readonly status: 'RolledBack' | 'RollingBack';
  readonly previousDeploymentId: DeploymentId | null;
  /** When it was accepted (decisions 27), ISO 8601. */
  readonly rolledBackAt: string;
  readonly position: Position | null;
}

/**
 * The same request again gives the same answer.
 * @throws {CommandRefused} NotFound, Forbidden (a suspended tenant), PreconditionFailed or Conflict, in this order
 */
export async function rollBackDeployment(
  { executor, store, clock }: RolloutCommandDeps & { readonly store: Pick<EventStore, 'readStream'> },
  context: UserContext,
  input: AskedOfDeployment,
): Promise<RollbackAccepted> {
  const { deploymentId, reason } = input;
  const { known, revision: seen } = await knownDeployment(executor, input);
  const { request } = known;
  const by = context.userId;
  const key = slotKey(request);
  const to = request.previousDeploymentId;
  const isClaimed = needsSlotClaim(known);
  const slot = isClaimed
    ? await executor.execute({
        aggregate: slotAggregate,
        id: key,
        tenant: request.tenant,
        context,
        // Whatever happens to it after `seen` begins with a claim, and so comes in between here.
        decide: (state) => conditional(context, seen, claimRollback(state, { deploymentId, to, reason, by })),
      })
    : await executor.load(slotAggregate, key);
  const { state, position } = await executor.execute({
    aggregate: deployment,
    id: deploymentId,
    tenant: request.tenant,
    context,
    decide: (now, revision) => {
      const decision = requestRollback(now, slot.state, { by, reason }, clock.now());
      return isClaimed ? decision : conditional(context, revision, decision);
    },
  });
  if (state.phase === 'None') throw new Error(`${deploymentId} was never requested`);
  const started = await rollbackStarted(store, deploymentId);
  return {
    deploymentId,
    status: statusAfter(state),
    previousDeploymentId: started.to,
    rolledBackAt: started.at,
    position,
  };
}

function statusAfter({ phase }: Deployment): RollbackAccepted['status'] {
  return phase === 'RolledBack' ? 'RolledBack' : 'RollingBack';
}

async function rollbackStarted(
  store: Pick<EventStore, 'readStream'>,
  id: DeploymentId,
): Promise<{ readonly to: DeploymentId | null; readonly at: string }> {
  for await (const { type, data, metadata } of backwards(store, `deployment-${id}`)) {
    if (type !== 'RollbackStarted') continue;
    const { to } = deploymentEvents.RollbackStarted.data.parse(data);
    return { to, at: metadata.at };
  }
  throw new Error(`${id} never began to roll back`);
}
