import { promote as decide } from '../domain/deployment/requests.ts';
import {
  type AskedOfDeployment,
  askOfRollout,
  type RolloutAnswer,
  type RolloutCommandDeps,
  type UserContext,
} from './ask-of-rollout.ts';

/**
 * Skips the bakes that remain, never the failure rule nor approvals.
 * @throws {CommandRefused} NotFound, Forbidden (a suspended tenant) or Conflict, in this order
 */
export function promoteRollout(
  deps: RolloutCommandDeps,
  context: UserContext,
  asked: AskedOfDeployment,
): Promise<RolloutAnswer> {
  return askOfRollout(deps, context, asked, decide);
}
