/** What must hold of the stages of one rollout, read from the log alone. */
import type { RecordedEvent } from '../../src/ports/event-store.ts';

export type StageEvent = Pick<RecordedEvent, 'type' | 'data'> & {
  readonly metadata: Pick<RecordedEvent['metadata'], 'at'>;
};

/**
 * @param events of the deployment's stream
 * @param expected the instances of each stage
 * @param bakeMs what each stage must bake while the platform runs
 * @param killedAt wall milliseconds at which the platform was killed
 * @returns sentences
 */
export function stageFaults(
  events: readonly StageEvent[],
  expected: readonly number[],
  bakeMs: number,
  killedAt: readonly number[],
): readonly string[] {
  const baked = expected.map(() => 0);
  const started: number[] = [];
  let bakingSince: { readonly stage: number; readonly at: number } | null = null;
  const faults: string[] = [];
  for (const { type, data, metadata } of events) {
    const at = Date.parse(metadata.at);
    const endsBake = ['StageStarted', 'StageInterrupted', 'PromotionStarted', 'RollbackStarted'];
    if (bakingSince && endsBake.includes(type)) {
      const { stage, at: since } = bakingSince;
      const end = Math.min(at, ...killedAt.filter((killed) => killed >= since));
      baked[stage] = (baked[stage] ?? 0) + end - since;
      bakingSince = null;
    }
    if (type === 'StageStarted') started.push(Number(data['instances']));
    if (type === 'CanaryStageReached') {
      const stage = Number(data['stage']);
      if (data['instances'] !== expected[stage])
        faults.push(`stage ${stage} has ${Number(data['instances'])} instances`);
      if (stage !== started.length - 1) faults.push(`stage ${stage} was reached out of turn`);
      bakingSince = { stage, at };
    }
  }
  if (started.join() !== expected.join()) faults.push(`the stages were ${started.join()}`);
  for (const [stage, ms] of baked.entries())
    if (ms < bakeMs) faults.push(`stage ${stage} baked ${ms} ms of ${bakeMs}`);
  return faults;
}
