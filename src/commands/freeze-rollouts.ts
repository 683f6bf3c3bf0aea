import type { Executor, Loaded } from '../core/executor.ts';
import { conditional } from '../core/precondition.ts';
import { freeze, freezeId, type FreezeState, setFrozen } from '../domain/freeze.ts';
import type { Clock } from '../ports/clock.ts';
import type { Position } from '../ports/event-store.ts';
import type { UserContext } from './ask-of-rollout.ts';

/**
 * Lets all rollouts of the platform stand still, or go on. What goes back, is aborted or undeployed does so all the same.
 * @throws {CommandRefused} PreconditionFailed
 */
export async function freezeRollouts(
  { executor, clock }: { readonly executor: Executor; readonly clock: Pick<Clock, 'now'> },
  context: UserContext,
  { frozen, reason }: { readonly frozen: boolean; readonly reason: string },
): Promise<Loaded<FreezeState> & { readonly position: Position | null }> {
  const said = { by: context.userId, reason, at: new Date(clock.now()).toISOString() };
  return executor.execute({
    ...{ aggregate: freeze, id: freezeId, tenant: null, context },
    decide: (state, revision) => conditional(context, revision, setFrozen(state, frozen, said)),
  });
}
