/**
 * Summarises the health of deployments, five minutes at a time: a deployment is its key. What waits for a summary is counted by a read
 * model, so nobody reads reports again; what was summarised, the stream of summaries says. A deployment that falls silent gets one more
 * summary, of the slot in which it spoke last, and then none: the gap is its silence.
 */
import { summariseHealth, type SummariseHealthDeps } from '../commands/summarise-health.ts';
import type { ProcessManager } from '../core/process-runner.ts';
import { type HealthRecord, slotsToSummarise } from '../domain/health/record.ts';
import { DeploymentId, type TenantId } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';

/** Asked of projections. */
export interface HealthQuestions {
  readonly due: (nowMs: number, limit: number) => Promise<readonly DeploymentId[]>;
  /** Null: nobody has reported. */
  readonly healthOf: (
    id: DeploymentId,
  ) => Promise<{ readonly tenant: TenantId; readonly record: HealthRecord } | null>;
}

export function healthSummaries(
  deps: SummariseHealthDeps & { readonly questions: HealthQuestions; readonly clock: Pick<Clock, 'now'> },
): ProcessManager {
  const { questions, clock } = deps;
  return {
    // Reports are too many to be woken by: what they lead to is due within five minutes.
    types: [],
    keysOf: () => [],
    inFlight: async () => [],
    due: (nowMs, limit) => questions.due(nowMs, Math.min(limit, 1_000)),
    handle: async (key, cause) => {
      const deploymentId = DeploymentId.parse(key);
      const known = await questions.healthOf(deploymentId);
      if (!known) return;
      const slots = slotsToSummarise(known.record, clock.now());
      const [first, last] = [slots[0], slots.at(-1)];
      if (!first || !last) return;
      const purpose = `${new Date(first.from).toISOString()} @${first.after} to ${last.through}`;
      await summariseHealth(deps, cause.command(purpose), { deploymentId, tenant: known.tenant }, slots);
    },
  };
}
