/** Records what a deployment's health was in slots of time that are over. What was summarised before changes nothing. */
import type { CommandContext, Executor } from '../core/executor.ts';
import type { Span } from '../domain/health/span.ts';
import { healthSummary, summarise } from '../domain/health/summary.ts';
import type { DeploymentId, TenantId } from '../domain/ids.ts';
import { retentionOf } from '../domain/retention.ts';
import type { EventStore } from '../ports/event-store.ts';

export interface SummariseHealthDeps {
  readonly executor: Executor;
  readonly store: Pick<EventStore, 'setRetention'>;
}

/** @param slots in order @param context the same for the same slots: they are one command */
export async function summariseHealth(
  { executor, store }: SummariseHealthDeps,
  context: CommandContext,
  of: { readonly deploymentId: DeploymentId; readonly tenant: TenantId },
  slots: readonly Span[],
): Promise<void> {
  const { deploymentId: id, tenant } = of;
  const { revision } = await executor.load(healthSummary, id);
  // Before the first one; also when all have expired, which changes nothing.
  const stream = `${healthSummary.name}-${id}`;
  if (revision === 'none') await store.setRetention(stream, retentionOf(stream));
  await executor.execute({
    ...{ aggregate: healthSummary, id, tenant, context },
    decide: (state) => summarise(state, slots, of),
  });
}
