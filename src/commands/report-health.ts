/** Takes what an agent reports of a deployment's instances: what is new, of the slot's present epoch, and of nobody else's. */
import { CommandRefused, type CommandContext, type Executor } from '../core/executor.ts';
import { standingOf } from '../core/slot-standing.ts';
import { deployment } from '../domain/deployment/deployment.ts';
import type { Report } from '../domain/deployment/evidence.ts';
import { receive, type Reception } from '../domain/deployment/reception.ts';
import { health } from '../domain/health.ts';
import { type DeploymentId, type Environment, slotKey, type TenantId } from '../domain/ids.ts';
import { refuse } from '../domain/refusal.ts';

export interface AgentReports {
  /** Where the agent works: deployments elsewhere do not exist for it. */
  readonly place: { readonly tenant: TenantId; readonly environment: Environment };
  readonly deploymentId: DeploymentId;
  readonly epoch: number;
  readonly reports: readonly Report[];
}

export interface ReceivedReports extends Pick<Reception, 'refused' | 'nextSequences'> {
  /** The slot's present one. */
  readonly epoch: number;
  /** Whether instances of the deployment should run at all. */
  readonly assigned: boolean;
  readonly accepted: number;
  readonly duplicates: number;
  /** Of another epoch, or of a deployment that should not run: they change nothing. */
  readonly stale: number;
}

/** @throws {CommandRefused} NotFound; Conflict where the platform runs the instances itself */
export async function reportHealth(
  executor: Executor,
  context: CommandContext,
  { place, deploymentId, epoch, reports }: AgentReports,
): Promise<ReceivedReports> {
  const { state } = await executor.load(deployment, deploymentId);
  if (state.phase === 'None' || !isIn(place, state.request))
    throw new CommandRefused(refuse('NotFound', `There is no deployment ${deploymentId}`));
  const { tenant, environment, plugin, runtime } = state.request;
  if (runtime !== 'agent') {
    const message = `The platform runs and probes deployment ${deploymentId} itself (${runtime})`;
    throw new CommandRefused(refuse('Conflict', message));
  }
  const standing = await standingOf(executor, slotKey(state.request));
  const assigned = standing.desired.some((one) => one.deploymentId === deploymentId);
  if (!assigned || epoch !== standing.epoch) {
    const none = { accepted: 0, duplicates: 0, refused: [], nextSequences: {} };
    return { epoch: standing.epoch, assigned, ...none, stale: reports.length };
  }
  const siblings = standing.desired.filter((one) => one.deploymentId !== deploymentId);
  const others = await Promise.all(
    siblings.map(async (one) => (await executor.load(health, one.deploymentId)).state),
  );
  let received: Reception = { accepted: [], duplicates: 0, refused: [], nextSequences: {} };
  await executor.execute({
    aggregate: health,
    id: deploymentId,
    tenant,
    context,
    decide: (evidence) => {
      received = receive(evidence, others, { epoch, reports });
      if (received.accepted.length === 0) return [];
      const data = { deploymentId, tenant, environment, plugin, epoch, reports: [...received.accepted] };
      return [{ type: 'InstanceHealthObserved' as const, data }];
    },
  });
  return { epoch, assigned, stale: 0, ...received, accepted: received.accepted.length };
}

function isIn(place: AgentReports['place'], of: AgentReports['place']): boolean {
  return place.tenant === of.tenant && place.environment.toLowerCase() === of.environment.toLowerCase();
}
