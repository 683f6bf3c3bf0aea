/**
 * Deploys a version to a slot. Claim first, then read the other side: what was checked before the claim is checked again after it,
 * so that nothing that changed in between (a deleted plugin, a suspended tenant, an undeployed dependency) slips through.
 */
import { v5 } from 'uuid';
import { step } from '../core/context.ts';
import { type CommandContext, CommandRefused, type Executor } from '../core/executor.ts';
import { deployment } from '../domain/deployment/deployment.ts';
import type { DeploymentRequest } from '../domain/deployment/events.ts';
import { type Planned, planRollout } from '../domain/deployment/plan.ts';
import { requestDeployment } from '../domain/deployment/requests.ts';
import { DeploymentId, type Slot, slotKey, type UserId } from '../domain/ids.ts';
import type { AskedQuota } from '../domain/quota.ts';
import { isRefusal, refuse } from '../domain/refusal.ts';
import { claim, release, slot as slotAggregate, type SlotState } from '../domain/slot.ts';
import type { Position } from '../ports/event-store.ts';
import { refuseBreaking } from './check-dependants.ts';
import {
  type Checked,
  checkDeployment,
  type DeployInput,
  type DeployPluginDeps,
  hashOf,
  quotaOf,
  refused,
  reservesOf,
} from './check-deployment.ts';
import { refuseExcessOf, refuseHasteOf, releaseQuota, reserveQuota } from './reserve-quota.ts';

export interface Deployed {
  readonly request: DeploymentRequest;
  readonly position: Position | null;
}

/** Until when a request must follow its claim; then the rollout process frees the slot. */
const claimMs = 30_000;

/** @throws {CommandRefused} Invalid, RateLimited, NotFound, Forbidden, Invalid, DependencyConflict or Conflict, in this order */
export async function deployPlugin(
  deps: DeployPluginDeps,
  context: CommandContext & { readonly userId: UserId },
  input: DeployInput,
): Promise<Deployed> {
  const { executor, clock } = deps;
  const planned = planRollout(input);
  if (isRefusal(planned)) throw new CommandRefused(planned);
  const target: Slot = { tenant: input.tenantId, environment: input.environment, plugin: input.pluginId };
  const key = slotKey(target);
  const deploymentId = DeploymentId.parse(
    `dep-${v5('deployment', context.commandId).replaceAll('-', '').slice(0, 20)}`,
  );
  // What was recorded has passed all bounds; its reservation is none of this repetition's business.
  const mayBeNew = context.mayRepeat !== true || !(await isRecorded(executor, deploymentId));
  if (mayBeNew) await refuseHasteOf(deps, input.tenantId, deploymentId);
  const before = await checkDeployment(deps, target, input);
  const asked = { deploymentId, ...quotaOf(target, before.version, planned) };
  if (mayBeNew) await refuseExcessOf(deps, input.tenantId, asked);

  const configuration = input.configuration ?? {};
  const configurationHash = hashOf(configuration);
  const claimSlot = (by: CommandContext) => {
    const now = clock.now();
    const { pluginVersion } = input;
    const expiresAt = new Date(now + claimMs).toISOString();
    const wanted = { deploymentId, pluginVersion, configurationHash, now, expiresAt };
    return executor.execute({
      tenant: input.tenantId,
      context: by,
      aggregate: slotAggregate,
      id: key,
      decide: (state) =>
        claim(state, { ...wanted, supersede: input.supersede ?? false, force: input.force ?? false }),
    });
  };
  const first = await claimSlot(context);
  // A repetition may find that the claim of its first run has expired: it claims anew.
  const lapsed = !holds(first.state, deploymentId) && !(await isRecorded(executor, deploymentId));
  const claimed = lapsed ? await claimSlot(step(context, `claim over fence ${first.state.fence}`)) : first;

  const reservation: AskedQuota = { ...asked, fence: claimed.state.fence };
  const checked = await (async () => {
    if (mayBeNew) await reserveQuota(deps, context, input.tenantId, reservation);
    const after = await checkDeployment(deps, target, input);
    // A claim that a deletion took no notice of must not outlive it by finding the slug's next plugin.
    if (after.identity !== before.identity) throw refused('Conflict', 'pluginId', registeredAnew);
    if (input.force !== true) {
      const asOf = claimed.position ?? (await deps.store.head());
      const change = { after: after.version.semanticVersion, asOf, field: 'pluginVersion' };
      await refuseBreaking(deps, target, change);
    }
    return after;
  })().catch(async (error: unknown) => {
    // A repetition may meet its own deployment, which holds its slot whatever has become of the plugin since.
    if (await isRecorded(executor, deploymentId)) throw error;
    if (mayBeNew) await releaseQuota(deps, context, input.tenantId, reservation);
    const reason = error instanceof CommandRefused ? error.message : 'The deployment could not be checked';
    await executor.execute({
      aggregate: slotAggregate,
      id: key,
      tenant: input.tenantId,
      context: step(context, `release claim of fence ${claimed.state.fence}`),
      decide: (state) => release(state, deploymentId, reason),
    });
    throw error;
  });
  const request = requestOf({
    deps,
    context,
    input,
    planned,
    checked,
    configurationHash,
    deploymentId,
    state: claimed.state,
  });
  const { position } = await executor.execute({
    tenant: input.tenantId,
    context,
    aggregate: deployment,
    id: deploymentId,
    decide: (state) => requestDeployment(state, request),
  });
  const { state: after } = await executor.load(slotAggregate, key);
  if (!holds(after, deploymentId)) await assertStarted(executor, deploymentId);
  return { request, position };
}

function holds({ flight, successor }: SlotState, id: DeploymentId): boolean {
  return flight?.deploymentId === id || successor?.deploymentId === id;
}

async function isRecorded(executor: Executor, id: DeploymentId): Promise<boolean> {
  return (await executor.load(deployment, id)).state.phase !== 'None';
}

/** What was recorded without a claim never starts; what started and has left the slot since was accepted. */
async function assertStarted(executor: Executor, id: DeploymentId): Promise<void> {
  const { phase } = (await executor.load(deployment, id)).state;
  if (phase !== 'Pending' && phase !== 'Refused') return;
  const message = 'The claim on the slot expired before the deployment was recorded: deploy once more';
  throw new CommandRefused(refuse('Conflict', message));
}

const registeredAnew = 'The plugin was deleted and registered anew meanwhile: deploy once more';

function requestOf(from: {
  readonly deps: DeployPluginDeps;
  readonly context: { readonly userId: UserId };
  readonly input: DeployInput;
  readonly planned: Planned;
  readonly checked: Checked;
  readonly configurationHash: string;
  readonly deploymentId: DeploymentId;
  readonly state: SlotState;
}): DeploymentRequest {
  const { deps, input, planned, checked, configurationHash, deploymentId, state } = from;
  const configuration = input.configuration ?? {};
  const scenario = deps.scenarioOf({ configuration, tags: checked.tags });
  return {
    deploymentId,
    tenant: input.tenantId,
    environment: input.environment,
    plugin: input.pluginId,
    pluginVersion: checked.version.semanticVersion,
    ...planned,
    reserves: reservesOf(checked.version.resources),
    configuration,
    configurationHash,
    previousDeploymentId:
      state.flight?.kind === 'rollout' ? state.flight.previousDeploymentId : state.current,
    runtime: deps.runtimes.chosen,
    scenario: typeof scenario === 'string' ? scenario : null,
    requestedBy: from.context.userId,
  };
}
