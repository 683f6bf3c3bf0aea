import { abort } from '../domain/deployment/requests.ts';
import {
  type AskedOfDeployment,
  askOfRollout,
  type RolloutAnswer,
  type RolloutCommandDeps,
  type UserContext,
} from './ask-of-rollout.ts';

/**
 * Ends a rollout: it returns to what was there before, and is Cancelled.
 * @throws {CommandRefused} NotFound, Forbidden (a suspended tenant) or Conflict, in this order
 */
export function abortRollout(
  deps: RolloutCommandDeps,
  context: UserContext,
  asked: AskedOfDeployment,
): Promise<RolloutAnswer> {
  return askOfRollout(deps, context, asked, (state, by) => abort(state, by));
}
