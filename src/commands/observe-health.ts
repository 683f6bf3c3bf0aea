/** Records what instances of a deployment reported. What is known already, or is of another epoch, changes nothing. */
import { derivedId } from '../core/context.ts';
import type { Executor } from '../core/executor.ts';
import { health, type InstanceHealthObserved, observe } from '../domain/health.ts';
import type { Actor, Position } from '../ports/event-store.ts';

export interface HealthBatch {
  readonly observed: InstanceHealthObserved;
  /** The slot's epoch as of now, as the runtime states it. */
  readonly currentEpoch: number;
  readonly actor: Actor;
}

/** @returns the position of the event; null when nothing in the batch was new */
export async function observeHealth(executor: Executor, batch: HealthBatch): Promise<Position | null> {
  const { observed, currentEpoch, actor } = batch;
  const of = observed.reports.map(({ instance, sequence }) => `${instance}:${sequence}`);
  const commandId = derivedId('health', observed.deploymentId, String(observed.epoch), ...of);
  const { position } = await executor.execute({
    aggregate: health,
    id: observed.deploymentId,
    tenant: observed.tenant,
    context: { commandId, correlationId: observed.deploymentId, actor },
    decide: (evidence) => observe(evidence, observed, currentEpoch),
  });
  return position;
}
