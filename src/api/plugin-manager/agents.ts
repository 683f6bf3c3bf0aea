/** What agents ask and tell: instances that live elsewhere are started, stopped and watched by them (docs/agents.md). */
import { reportHealth } from '../../commands/report-health.ts';
import type { Executor } from '../../core/executor.ts';
import { DeploymentId } from '../../domain/ids.ts';
import { route, type Route } from '../http/route.ts';
import type { AgentDesk } from './agent-desk.ts';
import {
  AssignmentsAnswer,
  assignmentsAnswer,
  AssignmentsQuery,
  HealthReportsBody,
  ReceivedAnswer,
  receivedAnswer,
} from './agent-schemas.ts';
import { DeploymentParams } from './deployment-schemas.ts';
import { agentPlaceOf, idInPath } from './scope.ts';

/** Of each key and call (decisions 16). */
const limit = { points: 600, seconds: 60 };
const tag = 'Agents';

export function agentRoutes({
  executor,
  desk,
}: {
  readonly executor: Executor;
  readonly desk: AgentDesk;
}): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/agent/assignments',
      summary: "Ask what should run in the key's environment, and wait for a change",
      tag,
      policy: { permission: 'agents:read' },
      limit,
      // The log says it: no read model need catch up first.
      reads: [],
      query: AssignmentsQuery,
      responses: { 200: AssignmentsAnswer },
      handler: async ({ principal, query: { after = null, wait }, whenGone }) => {
        const place = agentPlaceOf(principal);
        const found = await desk.assignments(place, { after, waitMs: wait * 1000, whenGone });
        return { status: 200, body: assignmentsAnswer(found) };
      },
    }),
    route({
      method: 'POST',
      path: '/plugin-deployments/:deploymentId/health-reports',
      summary: 'Report how instances are',
      tag,
      policy: { permission: 'agents:report' },
      limit,
      params: DeploymentParams,
      body: HealthReportsBody,
      responses: { 200: ReceivedAnswer },
      refusals: ['Conflict'],
      // Without a position: what an agent tells must not make its user's own reads wait.
      handler: async ({ principal, context, params, body: { epoch, reports } }) => {
        const place = agentPlaceOf(principal);
        const deploymentId = idInPath(DeploymentId, params.deploymentId, 'deployment');
        const received = await reportHealth(executor, context, { place, deploymentId, epoch, reports });
        return { status: 200, body: receivedAnswer(deploymentId, received) };
      },
    }),
  ];
}
