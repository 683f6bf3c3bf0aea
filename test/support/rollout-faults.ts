/** What must hold of every rollout whatever befell it, read from the log alone. */
import { deploymentEvents, type DeploymentRequest } from '../../src/domain/deployment/events.ts';
import { passesNeeded } from '../../src/domain/deployment/health-check.ts';
import { healthEvents } from '../../src/domain/health.ts';
import type { RecordedEvent } from '../../src/ports/event-store.ts';
import { slotFaults } from './slot-faults.ts';
import { type Down, stageFaults } from './stage-faults.ts';

export type Fact = Pick<RecordedEvent, 'stream' | 'type' | 'data' | 'metadata'>;

export const ends = [
  ...['DeploymentCompleted', 'DeploymentRolledBack', 'RollbackFailed', 'DeploymentFailed'],
  ...['DeploymentCancelled', 'DeploymentSuperseded', 'DeploymentUndeployed', 'DeploymentRefused'],
];

export interface Outcome {
  /** A sentence each. */
  readonly faults: readonly string[];
  /** What is to run in the slot in the end. */
  readonly current: DeploymentRequest | null;
}

/** @param facts of one slot's rollouts, all that ever were, in log order @param downs when the platform was away */
export function rolloutFaults(facts: readonly Fact[], downs: readonly Down[]): Outcome {
  const requests = facts
    .filter(({ type }) => type === 'DeploymentRequested')
    .map(({ data }) => deploymentEvents.DeploymentRequested.data.parse(data));
  const slot = slotFaults(facts.filter(({ stream }) => stream.startsWith('slot-')));
  const faults = requests.flatMap((request) => {
    const id = request.deploymentId;
    const [, ...events] = facts.filter(({ stream }) => stream === `deployment-${id}`);
    const promoted = events.some(({ type }) => type === 'PromotionRequested');
    const { stages } = request.plan;
    const shortened = promoted
      ? []
      : request.runtime === 'agent'
        ? stageFaults(events, stages, [], downs)
        : stageFaults(
            events,
            stages,
            downs.map(({ from }) => from),
          );
    const ended = ends.includes(events.findLast(({ type }) => type !== 'TimeEarned')?.type ?? '');
    const own = [...shortened, ...evidenceFaults(facts, request), ...(ended ? [] : ['it never ended'])];
    return own.map((fault) => `${id}: ${fault}`);
  });
  const current = requests.find(({ deploymentId }) => deploymentId === slot.current) ?? null;
  return { faults: [...slot.faults, ...faults], current };
}

/** No evidence is never success: as many instances as the stage has passed as often as needed, all under one epoch, before it was left. */
function evidenceFaults(facts: readonly Fact[], request: DeploymentRequest): readonly string[] {
  const id = request.deploymentId;
  const faults: string[] = [];
  let wanted: number | null = null;
  /** By epoch and instance, the sequences of its passes. */
  let passed = new Map<string, Set<number>>();
  for (const { stream, type, data } of facts) {
    if (stream === `health-${id}`) {
      const { epoch, reports } = healthEvents.InstanceHealthObserved.data.parse(data);
      for (const { instance, sequence, outcome } of reports) {
        const key = `${epoch} ${instance}`;
        if (outcome === 'pass') passed.set(key, (passed.get(key) ?? new Set()).add(sequence));
      }
    }
    if (stream !== `deployment-${id}` || (type !== 'StageStarted' && type !== 'PromotionStarted')) continue;
    if (wanted !== null && proven(passed, passesNeeded(request.healthCheck)) < wanted)
      faults.push(`a stage of ${wanted} was left without their having passed`);
    wanted = type === 'StageStarted' ? Number(data['instances']) : null;
    passed = new Map();
  }
  return faults;
}

/** How many instances passed often enough, under the epoch where most did. */
function proven(passed: ReadonlyMap<string, ReadonlySet<number>>, needed: number): number {
  const counts = new Map<string, number>();
  for (const [key, { size }] of passed) {
    const epoch = key.slice(0, key.indexOf(' '));
    if (size >= needed) counts.set(epoch, (counts.get(epoch) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}
