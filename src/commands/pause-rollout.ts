import { pause as decide } from '../domain/deployment/requests.ts';
import {
  type AskedOfDeployment,
  askOfRollout,
  type RolloutAnswer,
  type RolloutCommandDeps,
  type UserContext,
} from './ask-of-rollout.ts';

/**
 * Lets a rollout stand still until somebody resumes it: its instances run on, nothing is judged anew or started.
 * @throws {CommandRefused} NotFound, Forbidden (a suspended tenant) or Conflict, in this order
 */
export function pauseRollout(
  deps: RolloutCommandDeps,
  context: UserContext,
  asked: AskedOfDeployment,
): Promise<RolloutAnswer> {
  return askOfRollout(deps, context, asked, decide);
}
