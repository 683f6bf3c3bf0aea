/** What every command of a person to one deployment has in common: whose it is, whether they may write, what is answered. */
import { type CommandContext, CommandRefused, type Executor } from '../core/executor.ts';
import { conditional } from '../core/precondition.ts';
import { deployment, type Deployment, type DeploymentState } from '../domain/deployment/deployment.ts';
import type { DeploymentEvent } from '../domain/deployment/events.ts';
import type { AskedBy } from '../domain/deployment/requests.ts';
import { type Status, statusOf } from '../domain/deployment/status.ts';
import type { DeploymentId, UserId } from '../domain/ids.ts';
import { type Decision, refuse } from '../domain/refusal.ts';
import type { Clock } from '../ports/clock.ts';
import type { ExpectedRevision, Position } from '../ports/event-store.ts';
import { refuseSuspended } from './refuse-suspended.ts';

export interface RolloutCommandDeps {
  readonly executor: Executor;
  readonly clock: Pick<Clock, 'now'>;
}

export type UserContext = CommandContext & { readonly userId: UserId };

export interface AskedOfDeployment {
  readonly deploymentId: DeploymentId;
  /** 1 to 1,000 characters. */
  readonly reason: string;
  /** The only tenant whose deployments exist for the caller; null: all. */
  readonly within: string | null;
}

/** How the deployment is, once the request was accepted. */
export interface RolloutAnswer extends Status {
  readonly deploymentId: DeploymentId;
  /** Null: there was nothing left to do. */
  readonly position: Position | null;
}

/** @throws {CommandRefused} NotFound, Forbidden (a suspended tenant), in this order */
export async function knownDeployment(
  executor: Pick<Executor, 'load'>,
  { deploymentId, within }: Pick<AskedOfDeployment, 'deploymentId' | 'within'>,
): Promise<{ readonly known: Deployment; readonly revision: ExpectedRevision }> {
  const { state, revision } = await executor.load(deployment, deploymentId);
  if (state.phase === 'None' || (within !== null && within !== state.request.tenant))
    throw new CommandRefused(refuse('NotFound', `There is no deployment ${deploymentId}`));
  await refuseSuspended(executor, state.request.tenant);
  return { known: state, revision };
}

/**
 * Asks one thing of one deployment. The same again has nothing left to do.
 * @throws {CommandRefused} NotFound, Forbidden, PreconditionFailed or Conflict, in this order
 */
export async function askOfRollout(
  { executor, clock }: RolloutCommandDeps,
  context: UserContext,
  asked: AskedOfDeployment,
  decide: (state: DeploymentState, by: AskedBy, wallMs: number) => Decision<DeploymentEvent>,
): Promise<RolloutAnswer> {
  const { known } = await knownDeployment(executor, asked);
  const by: AskedBy = { by: context.userId, reason: asked.reason };
  const { state, position } = await executor.execute({
    ...{ aggregate: deployment, id: asked.deploymentId, tenant: known.request.tenant, context },
    decide: (now, revision) => conditional(context, revision, decide(now, by, clock.now())),
  });
  return answerOf(state, position);
}

export function answerOf(state: DeploymentState, position: Position | null): RolloutAnswer {
  if (state.phase === 'None') throw new Error('a deployment that was never requested answered');
  return { deploymentId: state.request.deploymentId, ...statusOf(state), position };
}
