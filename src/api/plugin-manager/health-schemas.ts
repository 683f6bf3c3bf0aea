/** The health of deployments as the Plugin Manager API writes it. */
import { z } from 'zod';
import { metricsOf } from '../../domain/health/tally.ts';
import { parseIsoDuration } from '../../domain/iso-duration.ts';
import type { HistoryView } from '../../projections/deployment-health-views.ts';
import * as examples from './answer-examples.ts';

const longestMs = 90 * 86_400_000;
const badWindow = 'must be an ISO 8601 duration longer than 0 and up to P90D, such as PT24H';

export const HistoryQuery = z.strictObject({
  window: z
    .string()
    .default('PT24H')
    .transform((text, context) => {
      const ms = text.length <= 64 ? parseIsoDuration(text) : null;
      if (ms !== null && ms > 0 && ms <= longestMs) return { text, ms };
      context.addIssue({ code: 'custom', message: badWindow });
      return z.NEVER;
    })
    .meta({
      description: 'How far back, up to now: an ISO 8601 duration up to P90D (a month counts 30 days)',
      example: 'PT24H',
    }),
});

const instances = z.int().min(0);
const average = z.number().nullable();
const basis = z.enum(['requests', 'probes']).nullable();

const metrics = {
  avgResponseTime: average.meta({
    description:
      'Milliseconds: of the requests that the plugin served, where reports tell; else of the probes. Null: nobody measured',
    example: 45.2,
  }),
  avgResponseTimeOf: basis.meta({ description: 'What avgResponseTime was measured on', example: 'requests' }),
  errorRate: average.meta({
    description:
      '0 to 1: errors among the requests that the plugin served, where reports tell; else failed probes among all, without those of instances that never passed yet. Null: nobody measured',
    example: 0.001,
  }),
  errorRateOf: basis.meta({ description: 'What errorRate was measured on', example: 'requests' }),
  cpuUsage: average.meta({ description: 'Percent, mean of the instances that report it', example: 35.4 }),
  memoryUsage: average.meta({ description: 'Percent, mean of the instances that report it', example: 52.1 }),
  requestsPerSecond: average.meta({ description: 'Of all instances together', example: 120.5 }),
};

const runtime = z.string().meta({ description: 'What runs the instances; simulated: nothing does' });

export const HealthAnswer = z
  .object({
    deploymentId: z.string().meta({ example: 'dep-5f0c1d2e3a4b5c6d7e8f' }),
    status: z.enum(['Healthy', 'Degraded', 'Unhealthy', 'Unknown']).meta({
      description:
        'Healthy: all instances that are to run now (expectedInstances) are well; Degraded: some; Unhealthy: none; Unknown: nobody has reported for three probe intervals and a time-out',
    }),
    totalInstances: instances,
    expectedInstances: instances.meta({ description: 'How many are to run now: a canary begins with few' }),
    healthyInstances: instances,
    unhealthyInstances: instances.meta({ description: 'Failing though they once passed' }),
    startingInstances: instances.meta({ description: 'Not ready yet, or not ready again' }),
    unknownInstances: instances.meta({ description: 'Silent, or never heard of' }),
    metrics: z.object(metrics).meta({
      description: 'Over the five minutes up to the last report; nothing where the status is Unknown',
    }),
    lastHealthCheck: z.iso.datetime().nullable().meta({
      description: 'When somebody last learned how an instance is',
      example: '2025-11-23T12:00:00.000Z',
    }),
    runtime,
  })
  .meta({ id: 'DeploymentHealth', example: examples.health });

export const HealthHistoryAnswer = z
  .object({
    deploymentId: z.string(),
    window: z.string().meta({ description: 'As it was asked for', example: 'PT24H' }),
    runtime,
    dataPoints: z
      .array(
        z.object({
          timestamp: z.iso
            .datetime()
            .meta({ description: 'When the point ends', example: '2025-11-23T12:00:00.000Z' }),
          durationSeconds: z.number().meta({ description: 'How long it lasted', example: 300 }),
          healthyInstances: instances.meta({
            description: 'At its end; of a point made of several, the mean over time',
          }),
          unhealthyInstances: instances,
          leastHealthyInstances: instances.meta({ description: 'The fewest at any time within' }),
          silent: z.boolean().meta({
            description: 'Nobody reported though instances were to run: of none it is known that it was well',
          }),
          ...metrics,
        }),
      )
      .meta({ description: 'By time, at most 500' }),
  })
  .meta({ id: 'DeploymentHealthHistory', example: examples.healthHistory });

export function healthHistoryAnswer(
  { deploymentId, runtime: of, points }: HistoryView,
  window: string,
): z.output<typeof HealthHistoryAnswer> {
  const dataPoints = points.map((point) => ({
    timestamp: new Date(point.until).toISOString(),
    durationSeconds: (point.until - point.from) / 1000,
    healthyInstances: point.healthy,
    unhealthyInstances: point.unhealthy,
    leastHealthyInstances: point.leastHealthy,
    silent: point.silent,
    ...metricsOf(point.tally),
  }));
  return { deploymentId, window, runtime: of, dataPoints };
}
