import { approve as decide } from '../domain/deployment/requests.ts';
import {
  type AskedOfDeployment,
  askOfRollout,
  type RolloutAnswer,
  type RolloutCommandDeps,
  type UserContext,
} from './ask-of-rollout.ts';

/**
 * Lets a rollout go on that waits for a person after a stage.
 * @throws {CommandRefused} NotFound, Forbidden (a suspended tenant) or Conflict, in this order
 */
export function approveStage(
  deps: RolloutCommandDeps,
  context: UserContext,
  asked: AskedOfDeployment,
): Promise<RolloutAnswer> {
  return askOfRollout(deps, context, asked, decide);
}
