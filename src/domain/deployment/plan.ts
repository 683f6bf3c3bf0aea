/** What a rollout will do, fixed when it is requested: stages, bakes, approvals, limits. */
import { z } from 'zod';
import type { Refusal } from '../refusal.ts';
import { AnalysisMetric, parseAnalysis, type AnalysisInput } from './analysis.ts';
import { HealthCheck, parseHealthCheck, type HealthCheckInput } from './health-check.ts';
import { refuseInvalid, violations, wholeNumber, type Violations } from './parse.ts';

export const RolloutPlan = z.strictObject({
  strategy: z.enum(['Direct', 'Canary']),
  /** In order; the last one runs all instances. */
  stages: z
    .array(
      z.strictObject({
        percent: z.int().min(1).max(100),
        instances: z.int().min(1),
        /** Earned under fresh evidence before the next stage. */
        bakeMs: z.int().min(0),
        /** Whether a person must approve what comes after it. */
        approval: z.boolean(),
      }),
    )
    .min(1)
    .max(20),
  onFailure: z.enum(['rollback', 'pause']),
  /** Longest time in Provisioning without structural progress. */
  progressDeadlineMs: z.int().min(1),
  analysis: z.array(AnalysisMetric).max(10),
});
export type RolloutPlan = z.output<typeof RolloutPlan>;
export type Stage = RolloutPlan['stages'][number];

export interface PlanInput {
  readonly strategy?: string | undefined;
  readonly strategyConfig?: Readonly<Record<string, string>> | undefined;
  readonly healthCheck?: HealthCheckInput | undefined;
  readonly totalInstances?: number | undefined;
  readonly analysis?: readonly AnalysisInput[] | undefined;
}

export interface Planned {
  readonly plan: RolloutPlan;
  readonly healthCheck: HealthCheck;
  /** 1 to 1000. */
  readonly totalInstances: number;
}

const canaryKeys = [
  'canaryPercentage',
  'stages',
  'stageInterval',
  'approval',
  'onFailure',
  'progressDeadline',
] as const;
const directKeys = ['bakeSeconds'] as const;
const week = 7 * 24 * 3600;

/** Reads what a caller asks for. Refusals (Invalid) name every wrong field: `strategy`, `strategyConfig.<key>`, `healthCheck.<field>`, … */
export function planRollout(input: PlanInput): Planned | Refusal {
  const wrong = violations();
  const totalInstances = wrong.integer('totalInstances', input.totalInstances, 1, 1, 1000);
  const healthCheck = parseHealthCheck(input.healthCheck ?? {}, wrong);
  const analysis = parseAnalysis(input.analysis ?? [], healthCheck, wrong);
  const config = input.strategyConfig ?? {};
  const strategy = input.strategy ?? 'Direct';
  let plan: RolloutPlan | null = null;
  if (strategy === 'Direct') plan = { ...directPlan(config, totalInstances, wrong), analysis };
  else if (strategy === 'Canary')
    plan = { ...canaryPlan(config, totalInstances, healthCheck, wrong), analysis };
  else if (strategy === 'Rolling' || strategy === 'BlueGreen')
    wrong.add('strategy', `${strategy} does not exist yet: choose Direct or Canary`);
  else wrong.add('strategy', 'must be Direct or Canary');
  if (!plan || wrong.found.length > 0) return refuseInvalid('The deployment cannot be planned', wrong.found);
  return { plan, healthCheck, totalInstances };
}

type PlanWithoutAnalysis = Omit<RolloutPlan, 'analysis'>;
type Config = Readonly<Record<string, string>>;

function directPlan(config: Config, total: number, wrong: Violations): PlanWithoutAnalysis {
  refuseUnknownKeys(config, directKeys, 'Direct', wrong);
  const bake = wrong.integer('strategyConfig.bakeSeconds', config['bakeSeconds'], 60, 0, week);
  return {
    strategy: 'Direct',
    stages: [{ percent: 100, instances: total, bakeMs: bake * 1000, approval: false }],
    onFailure: 'rollback',
    progressDeadlineMs: 600_000,
  };
}

function canaryPlan(
  config: Config,
  total: number,
  check: HealthCheck,
  wrong: Violations,
): PlanWithoutAnalysis {
  refuseUnknownKeys(config, canaryKeys, 'Canary', wrong);
  const percents = stagePercents(config, wrong);
  const shortest = 3 * check.intervalSeconds;
  const interval = wrong.integer(
    'strategyConfig.stageInterval',
    config['stageInterval'],
    Math.max(300, shortest),
    shortest,
    week,
  );
  const onFailure = config['onFailure'] ?? 'rollback';
  if (onFailure !== 'rollback' && onFailure !== 'pause')
    wrong.add('strategyConfig.onFailure', 'must be rollback or pause');
  const deadline = wrong.integer(
    'strategyConfig.progressDeadline',
    config['progressDeadline'],
    600,
    10,
    24 * 3600,
  );
  return {
    strategy: 'Canary',
    stages: stagesOf(percents, total, interval * 1000, approvals(config, percents, wrong)),
    onFailure: onFailure === 'pause' ? 'pause' : 'rollback',
    progressDeadlineMs: deadline * 1000,
  };
}

function stagePercents(config: Config, wrong: Violations): readonly number[] {
  const first = config['canaryPercentage'];
  const percentage = wrong.integer('strategyConfig.canaryPercentage', first, 10, 1, 100);
  const stages = config['stages'];
  if (stages === undefined) return [percentage, ...[30, 50, 100].filter((percent) => percent > percentage)];
  const percents = stages.split(',').map(wholeNumber);
  const problem = percentsProblem(percents);
  if (problem) {
    wrong.add('strategyConfig.stages', problem);
    return [100];
  }
  if (first !== undefined && percents[0] !== percentage)
    wrong.add('strategyConfig.canaryPercentage', 'must equal the first of stages');
  return percents;
}

function percentsProblem(percents: readonly number[]): string | null {
  if (percents.some((percent) => !(percent >= 1 && percent <= 100)))
    return 'must be whole numbers from 1 to 100, separated by commas';
  if (percents.length > 20) return 'must be at most 20';
  if (percents.some((percent, i) => percent <= (percents[i - 1] ?? 0))) return 'must grow strictly';
  return percents.at(-1) === 100 ? null : 'must end with 100';
}

/** `approval` names stages by their percentages, as `stages` writes them. */
function approvals(config: Config, percents: readonly number[], wrong: Violations): readonly number[] {
  const asked = config['approval'];
  if (asked === undefined) return [];
  const chosen = asked.split(',').map(wholeNumber);
  if (chosen.every((percent) => percents.includes(percent))) return chosen;
  wrong.add('strategyConfig.approval', `must be percentages of the stages ${percents.join(',')}`);
  return [];
}

/**
 * A stage runs max(1, ceil(total · percent / 100)) instances. Percentages that come to the same count are one stage (the last of
 * them): baking the same instances twice would prove nothing new. It waits for approval when any of them does.
 */
export function stagesOf(
  percents: readonly number[],
  total: number,
  bakeMs: number,
  approvalPercents: readonly number[] = [],
): Stage[] {
  const stages: Stage[] = [];
  for (const percent of percents) {
    const instances = Math.max(1, Math.ceil((total * percent) / 100));
    const same = stages.at(-1)?.instances === instances ? stages.pop() : undefined;
    const approval = approvalPercents.includes(percent) || same?.approval === true;
    stages.push({ percent, instances, bakeMs, approval });
  }
  return stages;
}

function refuseUnknownKeys(
  config: Config,
  known: readonly string[],
  strategy: string,
  wrong: Violations,
): void {
  for (const key of Object.keys(config)) {
    if (!known.includes(key))
      wrong.add(`strategyConfig.${key}`, `is no setting of ${strategy} (${known.join(', ')})`);
  }
}
