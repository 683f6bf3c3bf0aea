import { resume as decide } from '../domain/deployment/requests.ts';
import {
  type AskedOfDeployment,
  askOfRollout,
  type RolloutAnswer,
  type RolloutCommandDeps,
  type UserContext,
} from './ask-of-rollout.ts';

/**
 * Gives a paused rollout another chance: evidence and the progress deadline begin anew, the bake that it earned is kept.
 * @throws {CommandRefused} NotFound, Forbidden (a suspended tenant) or Conflict, in this order
 */
export function resumeRollout(
  deps: RolloutCommandDeps,
  context: UserContext,
  asked: AskedOfDeployment,
): Promise<RolloutAnswer> {
  return askOfRollout(deps, context, asked, decide);
}
