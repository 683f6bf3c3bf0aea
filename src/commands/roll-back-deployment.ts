/** Rolls a running rollout, or the completed deployment that is current, back to the version before it. */
import { type CommandContext, CommandRefused, type Executor } from '../core/executor.ts';
import { deployment, type Deployment } from '../domain/deployment/deployment.ts';
import { deploymentEvents } from '../domain/deployment/events.ts';
import { needsSlotClaim, requestRollback } from '../domain/deployment/requests.ts';
import { type DeploymentId, slotKey, type UserId } from '../domain/ids.ts';
import { refuse } from '../domain/refusal.ts';
import { claimRollback, slot as slotAggregate } from '../domain/slot.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore, Position } from '../ports/event-store.ts';
import { refuseSuspended } from './refuse-suspended.ts';

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
 * @param input.within the only tenant whose deployments exist for the caller; null: all
 * @throws {CommandRefused} NotFound, Forbidden (a suspended tenant) or Conflict, in this order
 */
export async function rollBackDeployment(
  {
    executor,
    store,
    clock,
  }: { readonly executor: Executor; readonly store: EventStore; readonly clock: Pick<Clock, 'now'> },
  context: CommandContext & { readonly userId: UserId },
  input: { readonly deploymentId: DeploymentId; readonly reason: string; readonly within: string | null },
): Promise<RollbackAccepted> {
  const { deploymentId, reason } = input;
  const { state: known } = await executor.load(deployment, deploymentId);
  if (known.phase === 'None' || (input.within !== null && input.within !== known.request.tenant))
    throw new CommandRefused(refuse('NotFound', `There is no deployment ${deploymentId}`));
  const { request } = known;
  await refuseSuspended(executor, request.tenant);

  const by = context.userId;
  const key = slotKey(request);
  const to = request.previousDeploymentId;
  const slot = needsSlotClaim(known)
    ? await executor.execute({
        aggregate: slotAggregate,
        id: key,
        tenant: request.tenant,
        context,
        decide: (state) => claimRollback(state, { deploymentId, to, reason, by }),
      })
    : await executor.load(slotAggregate, key);
  const { state, position } = await executor.execute({
    aggregate: deployment,
    id: deploymentId,
    tenant: request.tenant,
    context,
    decide: (now) => requestRollback(now, slot.state, { by, reason }, clock.now()),
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
  store: EventStore,
  id: DeploymentId,
): Promise<{ readonly to: DeploymentId | null; readonly at: string }> {
  const pageSize = 100;
  let from: number | undefined;
  for (;;) {
    const page = await store.readStream(`deployment-${id}`, {
      direction: 'backwards',
      limit: pageSize,
      ...(from === undefined ? {} : { from }),
    });
    const found = page.find(({ type }) => type === 'RollbackStarted');
    if (found) {
      const { to } = deploymentEvents.RollbackStarted.data.parse(found.data);
      return { to, at: found.metadata.at };
    }
    const last = page.at(-1);
    if (!last || last.revision === 0) throw new Error(`${id} never began to roll back`);
    from = last.revision - 1;
  }
}
