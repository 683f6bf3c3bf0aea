/** A deployment as text for a terminal. */
import { z } from 'zod';
import { columns, cut, plain, wrapped } from '../client/text.ts';

const text = z.string().transform(plain);

/** What is read of `GET /plugin-deployments/{id}`. Lenient: a newer platform may say more. */
export const Watched = z.object({
  deploymentId: text,
  pluginId: text,
  pluginVersion: text,
  tenantId: text,
  environment: text,
  strategy: text,
  runtime: text,
  status: text,
  phase: text,
  /** From 1; 0 before the first. */
  stage: z.number(),
  progress: z.number(),
  totalInstances: z.number(),
  healthyInstances: z.number(),
  unhealthyInstances: z.number(),
  reason: text.nullable(),
  previousDeploymentId: text.nullable(),
  lastHealthCheck: text.nullable(),
  estimatedCompletionAt: text.nullable(),
  plan: z.object({
    stages: z.array(
      z.object({ percent: z.number(), instances: z.number(), bakeMs: z.number(), approval: z.boolean() }),
    ),
  }),
});
export type Watched = z.output<typeof Watched>;

const ended = new Set([
  ...['Completed', 'RolledBack', 'RollbackFailed', 'Failed'],
  ...['Cancelled', 'Superseded', 'Undeployed'],
]);

export function hasEnded({ status }: Watched): boolean {
  return ended.has(status);
}

/** What a person looks at, a line each, none longer than `width` columns. @param wallMs wall time */
export function picture(watched: Watched, wallMs: number, width: number): readonly string[] {
  const { deploymentId, pluginId, pluginVersion, tenantId, environment, strategy, runtime } = watched;
  const simulated = runtime === 'simulated' ? ', simulated instances' : '';
  const lines = [
    `${pluginId} ${pluginVersion} → ${tenantId} / ${environment}`,
    `${deploymentId}, ${strategy}${simulated}`,
    statusLine(watched, wallMs),
    '',
    ...watched.plan.stages.map((_, index) => stageLine(watched, index)),
    '',
    instancesLine(watched, width),
    ...(watched.lastHealthCheck === null
      ? ['no instance has been heard of yet']
      : [`last heard of ${ago(watched.lastHealthCheck, wallMs)}`]),
    ...(watched.reason === null ? [] : ['', ...wrapped(watched.reason, width)]),
  ];
  return lines.map((text) => cut(text, width));
}

/** The same in one line, for logs: it changes when something has happened. */
export function line(watched: Watched): string {
  const { status, phase, stage, plan, healthyInstances, unhealthyInstances, totalInstances, reason } =
    watched;
  const words = [
    phase === status ? status : `${status}, ${phase}`,
    `stage ${stage} of ${plan.stages.length}`,
    `${healthyInstances} of ${totalInstances} healthy`,
    ...(unhealthyInstances > 0 ? [`${unhealthyInstances} unhealthy`] : []),
  ];
  return words.join('; ') + (reason === null ? '' : `: ${reason}`);
}

function statusLine(watched: Watched, wallMs: number): string {
  const { status, phase, progress, estimatedCompletionAt } = watched;
  const left = estimatedCompletionAt === null ? null : Date.parse(estimatedCompletionAt) - wallMs;
  const estimate = left === null ? '' : left > 0 ? `, about ${duration(left)} to go` : ', any moment now';
  return `${status}${phase === status ? '' : ` (${phase})`}  ${progress} %${estimate}`;
}

function stageLine(watched: Watched, index: number): string {
  const stage = watched.plan.stages[index];
  if (!stage) throw new Error(`there is no stage ${index}`);
  const { percent, instances, bakeMs, approval } = stage;
  const at = watched.stage - 1;
  const isDone = index < at || watched.status === 'Completed' || watched.phase === 'Promoting';
  const isHere = index === at && !isDone;
  const mark = isDone ? '✔' : isHere ? (hasEnded(watched) || goesBack(watched) ? '✘' : '▶') : '·';
  const counted = `${instances} ${instances === 1 ? 'instance' : 'instances'}`;
  const waits = approval ? ', then a person approves' : '';
  return `${mark} ${String(percent).padStart(3)} %  ${counted}, bakes ${duration(bakeMs)}${waits}`;
}

function goesBack({ status }: Watched): boolean {
  return status === 'RollingBack';
}

/** A sign an instance, as far as they fit. */
function instancesLine(watched: Watched, width: number): string {
  const { healthyInstances, unhealthyInstances, totalInstances } = watched;
  const rest = Math.max(0, totalInstances - healthyInstances - unhealthyInstances);
  const counts = `${healthyInstances} healthy, ${unhealthyInstances} unhealthy, of ${totalInstances}`;
  const signs = '●'.repeat(healthyInstances) + '✘'.repeat(unhealthyInstances) + '○'.repeat(rest);
  return columns(signs) + columns(counts) + 2 <= width ? `${signs}  ${counts}` : counts;
}

function ago(instant: string, wallMs: number): string {
  const ms = wallMs - Date.parse(instant);
  return ms < 1_000 ? 'just now' : `${duration(ms)} ago`;
}

/** `4 s`, `2 min 5 s`, `3 h 10 min`. */
export function duration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return seconds % 60 === 0 ? `${minutes} min` : `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}
