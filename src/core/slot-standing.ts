/** What should run in a slot at one moment of the log, and under which epoch. */
import { deployment, type Deployment, type DeploymentState } from '../domain/deployment/deployment.ts';
import { desiredSet, epochOf, involved, leading, type Desired } from '../domain/deployment/desired.ts';
import type { DeploymentId, SlotKey } from '../domain/ids.ts';
import { slot } from '../domain/slot.ts';
import { type Executor, TooContended } from './executor.ts';

export interface Standing {
  readonly epoch: number;
  /** The whole desired set, each with the deployment that it is of. */
  readonly desired: readonly (Desired & { readonly of: Deployment })[];
}

const attempts = 8;

/**
 * The slot is read before and after its deployments: it turns before they tell their end, so what stands still around them explains
 * all that they say. Read otherwise, one epoch could name two sets.
 * @throws {TooContended} when it never stands still
 */
export async function standingOf(executor: Pick<Executor, 'load'>, key: SlotKey): Promise<Standing> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const { state, revision } = await executor.load(slot, key);
    const loaded = involved(state).map(async (id): Promise<[DeploymentId, DeploymentState]> => [
      id,
      (await executor.load(deployment, id)).state,
    ]);
    const deployments = new Map(await Promise.all(loaded));
    if ((await executor.load(slot, key)).revision !== revision) continue;
    const lead = leading(state);
    const desired = desiredSet(state, deployments).flatMap((one) => {
      const of = deployments.get(one.deploymentId);
      return of && of.phase !== 'None' ? [{ ...one, of }] : [];
    });
    return { epoch: epochOf(state, (lead && deployments.get(lead)) ?? null), desired };
  }
  throw new TooContended(`slot ${key} changed ${attempts} times while it was read`);
}
