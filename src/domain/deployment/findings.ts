/** What can be held against a rollout, in words a tired person understands. Only canaries are judged. */
import { stageIndexOf, stageOf, type Deployment } from './deployment.ts';
import { judgeMetric, type AnalysisMetric, type MetricVerdict } from './analysis.ts';
import type { Sight } from './sight.ts';

export interface Finding {
  readonly reason: string;
  /** What it stands on, a sentence each; at most 20. */
  readonly evidence: readonly string[];
}

/** A canary in which no probe in a row is borne to fail: more unhealthy ones than this are a failure. */
const maxUnhealthy = 0;

/** Rule 3: canaries that fail their probes, restart, or break a metric's limit. Start-up failures are the deadline's. */
export function failure(deployment: Deployment, sight: Sight): Finding | null {
  const { healthCheck, plan } = deployment.request;
  const sick = sight.canaries.instances.filter(({ unhealthy }) => unhealthy);
  if (sick.length > maxUnhealthy) {
    const evidence = sick.map(
      ({ instance, failuresInARow }) => `${instance} failed its last ${plural(failuresInARow, 'probe')}`,
    );
    const reason = `${sick.length} of ${plural(sight.wanted, 'new instance')} failed ${plural(healthCheck.failureThreshold, 'probe')} in a row`;
    return { reason, evidence: evidence.slice(0, 20) };
  }
  if (sight.restarted.length > 0) {
    const evidence = sight.restarted.map((instance) => `${instance} had passed, then died and was replaced`);
    return {
      reason: `${plural(sight.restarted.length, 'new instance')} died and had to be restarted`,
      evidence: evidence.slice(0, 20),
    };
  }
  if (sight.vanished.length > 0) {
    const evidence = sight.vanished.map(({ instance, newcomer, survivor }) => {
      const meanwhile = survivor === null ? 'not for the first time' : `while ${survivor} reported on`;
      return `${instance} had passed, then fell silent, and ${newcomer} reports in its place, ${meanwhile}`;
    });
    return {
      reason: `${plural(sight.vanished.length, 'new instance')} vanished, and another reports in its place`,
      evidence: evidence.slice(0, 20),
    };
  }
  const broken = verdicts(plan.analysis, sight).find((one) => one.broken > one.metric.failureLimit);
  return broken ? brokenMetric(broken) : null;
}

function brokenMetric({ metric, broken, kept, worst }: MetricVerdict): Finding {
  return {
    reason: `${metric.metric} broke its limit of ${metric.max} ${plural(broken, 'time')}, and ${metric.failureLimit} are allowed`,
    evidence: [
      `The worst of ${plural(broken + kept, 'measurement')} on new instances was ${worst ?? 'unknown'}`,
    ],
  };
}

/** Metrics of which no measurement had enough requests: they neither pass nor fail. */
export function inconclusive(deployment: Deployment, sight: Sight): readonly string[] {
  return verdicts(deployment.request.plan.analysis, sight)
    .filter(({ broken, kept }) => broken + kept === 0)
    .map(({ metric }) => metric.metric);
}

function verdicts(metrics: readonly AnalysisMetric[], sight: Sight): readonly MetricVerdict[] {
  const reports = sight.canaries.instances.map((one) => one.reports);
  return metrics.map((metric) => judgeMetric(metric, reports));
}

/** Rule 4: too long in Provisioning without structural progress. */
export function deadlinePassed(deployment: Deployment, sight: Sight): Finding {
  const { progressDeadlineMs } = deployment.request.plan;
  const ready = sight.canaries.fresh.filter((one) => one.ready).length;
  return {
    reason: `Only ${ready} of ${plural(sight.wanted, 'new instance')} became ready within ${plural(progressDeadlineMs / 1000, 'second')}`,
    evidence: sight.canaries.instances
      .filter((one) => !one.ready)
      .map(
        ({ instance, passes, failuresInARow }) =>
          `${instance} is not ready: ${plural(passes, 'pass', 'passes')}, ${plural(failuresInARow, 'failure')} in a row`,
      )
      .slice(0, 20),
  };
}

/** Rule 5: canaries that nobody heard of for the long limit, while the monitor sees. */
export function lostCanaries(sight: Sight): Finding | null {
  if (sight.lost === 0) return null;
  const seconds = sight.lostAfterMs / 1000;
  const others = sight.old ? sight.old.fresh.length : 0;
  return {
    reason: `${sight.lost} of ${plural(sight.wanted, 'new instance')} gave no report for ${plural(seconds, 'second')}`,
    evidence: [
      `${plural(sight.canaries.fresh.length, 'new instance')} and ${plural(others, 'old instance')} still report`,
    ],
  };
}

/** Who is still heard, where that is too little to judge by. */
export function unheard({ canaries, old, wanted }: Sight): readonly string[] {
  const ofOld = old ? ` and ${old.fresh.length} of ${plural(old.instances.length, 'old instance')}` : '';
  return [`${canaries.fresh.length} of ${plural(wanted, 'new instance')}${ofOld} still report`];
}

/** What lets a stage be left: how long it baked, and what each of its instances has shown. */
export function proof(deployment: Deployment, sight: Sight, earnedMs: number): readonly string[] {
  const needed = stageOf(deployment.request, stageIndexOf(deployment)).bakeMs;
  const seconds = (ms: number): string => plural(Math.floor(ms / 1000), 'second');
  // Before an approval it had baked to its end.
  const baked = Math.max(earnedMs, 'bakeEarnedMs' in deployment ? deployment.bakeEarnedMs : 0);
  const skipped = deployment.asked.promote ? '; a person skipped the rest' : '';
  const shown = sight.canaries.fresh
    .slice(0, 15)
    .map(
      ({ instance, passes, passesInARow }) =>
        `${instance} passed ${plural(passes, 'time')} in this stage, the last ${passesInARow} in a row`,
    );
  const others = sight.canaries.fresh.length - shown.length;
  return [
    `It baked ${seconds(baked)} of ${seconds(needed)} under fresh evidence${skipped}`,
    `${sight.canaries.fresh.length} of ${plural(sight.wanted, 'new instance is', 'new instances are')} ready`,
    ...shown,
    ...(others > 0 ? [`${plural(others, 'other')} passed as often as needed`] : []),
  ];
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
