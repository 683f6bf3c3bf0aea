/** What agents and the platform say to each other, as docs/agents.md tells it. */
import { z } from 'zod';
import type { ReceivedReports } from '../../commands/report-health.ts';
import { InstanceId, Report } from '../../domain/deployment/evidence.ts';
import { HealthCheck } from '../../domain/deployment/health-check.ts';
import type { Assignments } from '../../projections/agent-assignments.ts';

/** Longest wait of a long poll, in seconds; proxies give up after a minute. */
const longestWait = 55;
const mostReports = 500;
const mostMetrics = 20;
const hourMs = 3_600_000;

// Requests

export const AssignmentsQuery = z.strictObject({
  after: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be a cursor that was answered before')
    .optional()
    .meta({ description: 'The cursor of the last answer: wait until there is another' }),
  wait: z
    .string()
    .regex(/^\d{1,2}$/, 'must be a whole number of seconds')
    .transform(Number)
    .pipe(z.int().min(0).max(longestWait))
    .default(30)
    .meta({ description: `Seconds, 0 to ${longestWait}; only together with after`, example: '30' }),
});

const AgentInstance = InstanceId.regex(
  /^[A-Za-z0-9][A-Za-z0-9._:-]*$/,
  'must be letters, digits and . _ : - and begin with a letter or digit',
);
const MetricName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/, 'must be 1 to 64 letters, digits, _ . - and begin with a letter');

const AgentReport = z
  .strictObject({
    instance: AgentInstance.meta({ description: 'Fresh at every start of an instance' }),
    sequence: Report.shape.sequence.meta({ description: 'Counts up by one within an instance' }),
    outcome: Report.shape.outcome.meta({
      description: 'error: it could not be asked, which says nothing of it',
    }),
    latencyMs: z.number().min(0).max(hourMs).nullable().default(null),
    metrics: z
      .record(MetricName, z.number())
      .refine((metrics) => Object.keys(metrics).length <= mostMetrics, `must not be more than ${mostMetrics}`)
      .optional()
      .meta({ description: 'Since the report before: requests, errors, responseTime (ms) and any others' }),
    replaces: AgentInstance.nullable()
      .default(null)
      .meta({ description: 'The instance that died and that this one stands in for' }),
  })
  .refine(({ instance, replaces }) => instance !== replaces, {
    path: ['replaces'],
    message: 'must not be the instance itself',
  });

export const HealthReportsBody = z
  .strictObject({
    epoch: z.int().min(0).meta({ description: 'Of the assignment that the instances run under' }),
    reports: z.array(AgentReport).min(1).max(mostReports),
  })
  .meta({
    example: {
      epoch: 1_048_577,
      reports: [
        {
          instance: 'node-7.4f1c',
          sequence: 0,
          outcome: 'pass',
          latencyMs: 12,
          metrics: { requests: 240, errors: 1, responseTime: 31 },
        },
      ],
    },
  });

// Answers

export const AssignmentsAnswer = z.object({
  cursor: z.string().meta({ description: 'To be sent as after; the same as long as nothing changes' }),
  assignments: z
    .array(
      z.object({
        slot: z.string().meta({ example: 'tenant-acme-corp.production.payment-stripe' }),
        epoch: z.int().meta({ description: 'Grows with every change in this slot; goes with every report' }),
        deployments: z.array(
          z.object({
            deploymentId: z.string(),
            pluginId: z.string(),
            version: z.string(),
            instances: z.int().meta({ description: 'How many should run, over all agents' }),
            configuration: z
              .record(z.string(), z.json())
              .meta({ description: 'As deployed: ${secret:name} is for the agent to resolve' }),
            healthCheck: HealthCheck,
            runtime: z.object({ type: z.string(), version: z.string().nullable() }).nullable(),
            binaryUrl: z.string().nullable(),
            checksum: z.string().nullable(),
          }),
        ),
      }),
    )
    .meta({ description: 'All that should run: what is not named is to be stopped' }),
});

export const ReceivedAnswer = z.object({
  deploymentId: z.string(),
  epoch: z.int().meta({ description: 'The present one; another than yours: ask for assignments' }),
  assigned: z.boolean().meta({ description: 'False: no instance of it should run' }),
  accepted: z.int(),
  duplicates: z.int(),
  stale: z.int().meta({ description: 'Of another epoch, or not assigned: they changed nothing' }),
  refused: z.array(
    z.object({
      instance: z.string(),
      sequence: z.int(),
      reason: z.string(),
    }),
  ),
  nextSequences: z.record(z.string(), z.int()).meta({
    description:
      'By instance, where the highest taken is another than the highest sent: the number to go on with',
  }),
});

export function assignmentsAnswer({ cursor, assignments }: Assignments): z.output<typeof AssignmentsAnswer> {
  return {
    cursor,
    assignments: assignments.map(({ slot, pluginId, epoch, deployments }) => ({
      slot,
      epoch,
      deployments: deployments.map(({ pluginVersion: version, deploymentId, ...rest }) => ({
        ...{ deploymentId, pluginId, version },
        ...rest,
      })),
    })),
  };
}

export function receivedAnswer(
  deploymentId: string,
  { refused, ...counts }: ReceivedReports,
): z.output<typeof ReceivedAnswer> {
  return { deploymentId, ...counts, refused: [...refused] };
}
