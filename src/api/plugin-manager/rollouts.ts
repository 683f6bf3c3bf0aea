/** What people ask of rollouts that are under way, and of deployments that are to leave. */
import { z } from 'zod';
import { abortRollout } from '../../commands/abort-rollout.ts';
import { approveStage } from '../../commands/approve-stage.ts';
import type {
  AskedOfDeployment,
  RolloutAnswer,
  RolloutCommandDeps,
  UserContext,
} from '../../commands/ask-of-rollout.ts';
import { pauseRollout } from '../../commands/pause-rollout.ts';
import { promoteRollout } from '../../commands/promote-rollout.ts';
import { resumeRollout } from '../../commands/resume-rollout.ts';
import { undeploy, type UndeployDeps } from '../../commands/undeploy.ts';
import { DeploymentId } from '../../domain/ids.ts';
import { historyOf } from '../../projections/deployment-history.ts';
import { emailsOf, usersProjection, type UsersDeps } from '../../projections/users.ts';
import { route, type Route } from '../http/route.ts';
import { DeploymentParams, deploymentStatuses } from './deployment-schemas.ts';
import { pageMembers, pagingQuery } from './paging.ts';
import { callerOf, idInPath, notFound, tenantOf } from './scope.ts';

const tag = 'Plugin Deployments';
const writing = {
  tag,
  policy: { permission: 'deployments:write' },
  idempotent: true,
  conditional: 'change',
} as const;

const Reason = z.string().trim().min(1).max(1_000);

export const RolloutAnswerBody = z
  .object({
    deploymentId: z.string(),
    status: z.enum(deploymentStatuses),
    phase: z.string().meta({ description: 'Finer than the status', example: 'Paused' }),
    stage: z.int().meta({ description: 'From 1; 0 before the first' }),
    stages: z.int(),
    reason: z
      .string()
      .nullable()
      .meta({ description: 'Why it is paused, goes back or ended; null: all is well' }),
  })
  .meta({ id: 'Rollout' });

const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');

export const UndeployQuery = z.strictObject({
  force: flag.meta({ description: 'Leaves others without what they require', example: 'false' }),
  reason: Reason.default('An undeployment was requested').meta({ example: 'No longer needed' }),
});

export const HistoryAnswer = z.object({
  deploymentId: z.string(),
  entries: z
    .array(
      z.object({
        event: z.string().meta({ example: 'RollbackStarted' }),
        at: z.iso.datetime(),
        summary: z.string().meta({ description: 'One sentence' }),
        stage: z.int().nullable().meta({ description: 'From 1; null: it is about none' }),
        instances: z.int().nullable(),
        reason: z.string().nullable(),
        evidence: z.array(z.string()).meta({ description: 'What the decision stood on, a sentence each' }),
        by: z.string().nullable().meta({ description: 'Who asked for it; null: the rollout decided' }),
        correlationId: z.string(),
      }),
    )
    .meta({ description: 'The oldest first' }),
  ...pageMembers,
});

export type RolloutRoutesDeps = UndeployDeps & UsersDeps;

type Ask = (
  deps: RolloutCommandDeps,
  context: UserContext,
  asked: AskedOfDeployment,
) => Promise<RolloutAnswer>;

const asks: readonly (readonly [word: string, summary: string, ask: Ask, example: string])[] = [
  ['pause', 'Let a rollout stand still', pauseRollout, 'The support team is busy'],
  ['resume', 'Let a paused rollout go on', resumeRollout, 'The support team is back'],
  ['promote', 'Skip the bakes that remain', promoteRollout, 'Seen enough'],
  ['abort', 'End a rollout: what was there before stays', abortRollout, 'Wrong version'],
  ['approve', 'Approve the stage that waits for a person', approveStage, 'The numbers look good'],
];

export function rolloutRoutes(deps: RolloutRoutesDeps): readonly Route[] {
  return [
    ...asks.map(([word, summary, ask, example]) =>
      route({
        ...writing,
        method: 'POST',
        path: `/plugin-deployments/:deploymentId/${word}`,
        summary,
        params: DeploymentParams,
        body: z
          .strictObject({ reason: Reason.default(`Somebody asked to ${word} it`) })
          .prefault({})
          .meta({ example: { reason: example } }),
        responses: { 202: RolloutAnswerBody },
        handler: async ({ principal, context, params, body: { reason } }) => {
          const deploymentId = idInPath(DeploymentId, params.deploymentId, 'deployment');
          const who = { ...context, userId: callerOf(principal).userId };
          const asked = { deploymentId, reason, within: tenantOf(principal) };
          return accepted(await ask(deps, who, asked));
        },
      }),
    ),
    route({
      policy: { permission: 'deployments:read' },
      reads: [usersProjection.name],
      tag,
      method: 'GET',
      path: '/plugin-deployments/:deploymentId/history',
      summary: 'Tell what was decided, and on which evidence',
      params: DeploymentParams,
      query: z.strictObject(pagingQuery),
      responses: { 200: HistoryAnswer },
      handler: async ({ principal, params, query: { limit, offset } }) => {
        const deploymentId = idInPath(DeploymentId, params.deploymentId, 'deployment');
        const history = await historyOf(deps.store, deploymentId);
        const within = tenantOf(principal);
        if (!history || (within !== null && within !== history.request.tenant))
          throw notFound('deployment', deploymentId);
        const page = history.entries.slice(offset, offset + limit);
        const emails = await emailsOf(
          deps,
          page.flatMap(({ by }) => by ?? []),
        );
        const entries = page.map((entry) => ({
          ...entry,
          evidence: [...entry.evidence],
          by: entry.by === null ? null : (emails.get(entry.by) ?? entry.by),
        }));
        const { length: total } = history.entries;
        return { status: 200, body: { deploymentId, entries, total, limit, offset } };
      },
    }),
    route({
      ...writing,
      method: 'DELETE',
      path: '/plugin-deployments/:deploymentId',
      summary: 'Take a deployment out of its environment',
      params: DeploymentParams,
      query: UndeployQuery,
      responses: { 202: RolloutAnswerBody },
      handler: async ({ principal, context, params, query: { force, reason } }) => {
        const deploymentId = idInPath(DeploymentId, params.deploymentId, 'deployment');
        const who = { ...context, userId: callerOf(principal).userId };
        return accepted(
          await undeploy(deps, who, { deploymentId, reason, force, within: tenantOf(principal) }),
        );
      },
    }),
  ];
}

function accepted({ position, ...body }: RolloutAnswer) {
  return { status: 202, body, position };
}
