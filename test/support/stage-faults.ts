/** What must hold of the stages of one rollout, read from the log alone. */
import type { RecordedEvent } from '../../src/ports/event-store.ts';

export type StageEvent = Pick<RecordedEvent, 'type' | 'data'> & {
  readonly metadata: Pick<RecordedEvent['metadata'], 'at'>;
};

/** Wall milliseconds. */
export interface Down {
  readonly from: number;
  readonly until: number;
}

interface Stage {
  readonly instances: number;
  /** Milliseconds in which the platform ran. */
  bakedMs: number;
  /** Whether the rollout went on from it. */
  done: boolean;
}

interface Seen {
  readonly stages: readonly Stage[];
  readonly faults: readonly string[];
}

/**
 * @param events of the deployment's stream
 * @param plan of each stage that is to come, how many instances it has and how long it must bake
 * @param killedAt wall milliseconds at which the platform was killed, where its instances went with it: a bake stands still until
 * they are ready again
 * @param downs when the platform was away while instances went on elsewhere: only that time did not count
 * @returns a sentence for every stage that is out of turn, done twice, of another size or shortened
 */
export function stageFaults(
  events: readonly StageEvent[],
  plan: readonly { readonly instances: number; readonly bakeMs: number }[],
  killedAt: readonly number[],
  downs: readonly Down[] = [],
): readonly string[] {
  const { stages, faults } = follow(events, killedAt, downs);
  const sizes = stages.map(({ instances }) => instances);
  const planned = plan.slice(0, stages.length).map(({ instances }) => instances);
  return [
    ...faults,
    ...(sizes.join() === planned.join() ? [] : [`the stages were ${sizes.join()}`]),
    ...stages.flatMap(({ done, bakedMs }, stage) => {
      const { bakeMs } = plan[stage] ?? { bakeMs: 0 };
      return done && bakedMs < bakeMs ? [`stage ${stage} baked ${bakedMs} ms of ${bakeMs}`] : [];
    }),
  ];
}

function follow(events: readonly StageEvent[], killedAt: readonly number[], downs: readonly Down[]): Seen {
  const stages: Stage[] = [];
  const faults: string[] = [];
  let since: number | null = null;
  let pausedInBake = false;
  const rest = (at: number): void => {
    const stage = stages.at(-1);
    if (since === null || !stage) return;
    const [from, died] = [since, killedAt.filter((killed) => killed >= (since ?? 0))];
    const away = downs.map((down) => Math.max(0, Math.min(down.until, at) - Math.max(down.from, from)));
    stage.bakedMs += Math.min(at, ...died) - from - away.reduce((sum, ms) => sum + ms, 0);
    since = null;
  };
  for (const { type, data, metadata } of events) {
    const at = Date.parse(metadata.at);
    const stage = stages.at(-1);
    switch (type) {
      case 'StageStarted':
      case 'PromotionStarted':
        rest(at);
        if (stage) stage.done = true;
        if (type === 'PromotionStarted') break;
        if (data['stage'] !== stages.length) faults.push(`stage ${Number(data['stage'])} began out of turn`);
        stages.push({ instances: Number(data['instances']), bakedMs: 0, done: false });
        break;
      case 'CanaryStageReached':
        if (data['stage'] !== stages.length - 1 || data['instances'] !== stage?.instances)
          faults.push(`stage ${Number(data['stage'])} was reached out of turn, or in another size`);
        since = at;
        break;
      case 'RolloutPaused':
        pausedInBake ||= since !== null;
        rest(at);
        break;
      case 'RolloutResumed':
        if (pausedInBake) since = at;
        pausedInBake = false;
        break;
      case 'StageInterrupted':
      case 'RollbackStarted':
        rest(at);
        pausedInBake = false;
        break;
    }
  }
  return { stages, faults };
}
