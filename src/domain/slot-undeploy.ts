/** How the current deployment leaves its slot: proposed, looked at (do others require it?), then claimed or released. */
import type { DeploymentId, UserId } from './ids.ts';
import { refuse, type Decision } from './refusal.ts';
import { inFlight, type SlotEvent, type SlotState } from './slot.ts';

export interface UndeployInput {
  readonly deploymentId: DeploymentId;
  readonly reason: string;
  readonly by: UserId;
}

/** From here on nobody deploys what requires it. The same again, or what has been decided: no events. */
export function proposeUndeploy(
  state: SlotState,
  { expiresAt, ...input }: UndeployInput & { readonly expiresAt: string },
): Decision<SlotEvent> {
  if (isLeaving(state, input.deploymentId)) return [];
  return notItsTurn(state, input) ?? [{ type: 'UndeployProposed', data: { ...input, expiresAt } }];
}

/** Decides that it leaves. The same again: no events. */
export function claimUndeploy(state: SlotState, input: UndeployInput): Decision<SlotEvent> {
  const { flight } = state;
  if (flight?.kind === 'undeploy' && flight.deploymentId === input.deploymentId && flight.expiresAt === null)
    return [];
  if (isLeaving(state, input.deploymentId)) return [{ type: 'UndeployClaimed', data: input }];
  return notItsTurn(state, input) ?? [{ type: 'UndeployClaimed', data: input }];
}

/** Decides that what was proposed leaves; Conflict when the proposal is gone: what was found out as of it is old. */
export function confirmUndeploy(state: SlotState, input: UndeployInput): Decision<SlotEvent> {
  if (isLeaving(state, input.deploymentId)) return claimUndeploy(state, input);
  const message = `It took too long to find out whether others require ${input.deploymentId}: try again`;
  return notItsTurn(state, input) ?? refuse('Conflict', message);
}

function isLeaving({ flight }: SlotState, deploymentId: DeploymentId): boolean {
  return flight?.kind === 'undeploy' && flight.deploymentId === deploymentId;
}

function notItsTurn({ flight, current }: SlotState, { deploymentId }: UndeployInput) {
  if (flight) return inFlight(flight.deploymentId);
  if (current === deploymentId) return null;
  return refuse('Conflict', `Deployment ${deploymentId} is not its slot's current one`);
}
