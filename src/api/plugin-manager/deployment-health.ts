/** How deployments are and were ("Plugin Health API"). */
import type { z } from 'zod';
import { DeploymentId } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadModels } from '../../ports/read-models.ts';
import { getHealth, getHealthHistory } from '../../projections/deployment-health-views.ts';
import { deploymentsProjection } from '../../projections/deployments.ts';
import { route, type Route } from '../http/route.ts';
import { DeploymentParams } from './deployment-schemas.ts';
import { HealthAnswer, HealthHistoryAnswer, healthHistoryAnswer, HistoryQuery } from './health-schemas.ts';
import { idInPath, notFound, scopeOf } from './scope.ts';

export interface DeploymentHealthRoutesDeps {
  readonly models: ReadModels;
  readonly clock: Pick<Clock, 'now'>;
}

const common = {
  // How instances are is of no version: it goes on changing by itself.
  etag: 'content',
  method: 'GET',
  tag: 'Plugin Health',
  policy: { permission: 'deployments:read' },
  reads: [deploymentsProjection.name],
  params: DeploymentParams,
} as const;

export function deploymentHealthRoutes({ models, clock }: DeploymentHealthRoutesDeps): readonly Route[] {
  return [
    route({
      ...common,
      path: '/plugin-deployments/:deploymentId/health',
      summary: 'Show how the instances of a deployment are now',
      responses: { 200: HealthAnswer },
      handler: async ({ principal, params }) => {
        const id = idInPath(DeploymentId, params.deploymentId, 'deployment');
        const health = await getHealth(models, scopeOf(principal), id, clock.now());
        if (!health) throw notFound('deployment', id);
        return { status: 200, body: health satisfies z.output<typeof HealthAnswer> };
      },
    }),
    route({
      ...common,
      path: '/plugin-deployments/:deploymentId/health/history',
      summary: 'Show how the instances of a deployment were over a while',
      query: HistoryQuery,
      responses: { 200: HealthHistoryAnswer },
      handler: async ({ principal, params, query: { window } }) => {
        const id = idInPath(DeploymentId, params.deploymentId, 'deployment');
        const history = await getHealthHistory(models, scopeOf(principal), id, window.ms, clock.now());
        if (!history) throw notFound('deployment', id);
        return { status: 200, body: healthHistoryAnswer(history, window.text) };
      },
    }),
  ];
}
