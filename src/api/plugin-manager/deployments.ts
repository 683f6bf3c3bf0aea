/** Deployments ("Plugin Deployments API"). */
import type { DeployPluginDeps } from '../../commands/check-deployment.ts';
import { deployPlugin } from '../../commands/deploy-plugin.ts';
import { rollBackDeployment } from '../../commands/roll-back-deployment.ts';
import { tryDeployment } from '../../commands/try-deployment.ts';
import { warnOfMissingSecrets } from '../../commands/warn-of-missing-secrets.ts';
import { DeploymentId } from '../../domain/ids.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { ReadModels } from '../../ports/read-models.ts';
import type { Vault } from '../../ports/vault.ts';
import { getDeployment, listDeployments } from '../../projections/deployment-views.ts';
import { deploymentsProjection } from '../../projections/deployments.ts';
import { emailsOf, usersProjection } from '../../projections/users.ts';
import { route, type Route } from '../http/route.ts';
import {
  DeployedAnswer,
  deployedAnswer,
  DeploymentAnswer,
  deploymentAnswer,
  DeploymentListAnswer,
  deploymentListAnswer,
  DeploymentParams,
  DeployPluginBody,
  ListDeploymentsQuery,
  RollBackBody,
  RolledBackAnswer,
} from './deployment-schemas.ts';
import { DryRunAnswer, dryRunAnswer } from './dry-run-schemas.ts';
import { callerOf, idInPath, notFound, refuseOtherTenant, scopeOf, tenantOf } from './scope.ts';

export interface DeploymentRoutesDeps extends DeployPluginDeps {
  readonly store: EventStore;
  readonly models: ReadModels;
  readonly vault: Pick<Vault, 'openFor'>;
}

const tag = 'Plugin Deployments';
const reading = {
  policy: { permission: 'deployments:read' },
  reads: [deploymentsProjection.name, usersProjection.name],
} as const;
const writing = { policy: { permission: 'deployments:write' }, idempotent: true } as const;

export function deploymentRoutes(deps: DeploymentRoutesDeps): readonly Route[] {
  const { models, store, clock } = deps;
  return [
    route({
      ...writing,
      method: 'POST',
      path: '/plugin-deployments',
      summary: 'Deploy a plugin to a tenant',
      tag,
      body: DeployPluginBody,
      responses: { 200: DryRunAnswer, 202: DeployedAnswer },
      refusals: ['NotFound', 'DependencyConflict'],
      handler: async ({ principal, context, body: { dryRun, ...body } }) => {
        refuseOtherTenant(principal, body.tenantId);
        const { tenantId: tenant, configuration = {} } = body;
        if (dryRun === true) {
          const tried = await tryDeployment(deps, body);
          const warnings = await warnOfMissingSecrets(deps, { tenant, configuration });
          return { status: 200, body: { ...dryRunAnswer(body, tried), warnings } };
        }
        const { userId } = callerOf(principal);
        const { request, position } = await deployPlugin(deps, { ...context, userId }, body);
        const startedAt = await recordedAt(store, request.deploymentId);
        const warnings = await warnOfMissingSecrets(deps, { tenant, configuration });
        return { status: 202, body: { ...deployedAnswer(request, startedAt), warnings }, position };
      },
    }),
    route({
      ...reading,
      method: 'GET',
      path: '/plugin-deployments',
      summary: 'List deployments',
      tag,
      query: ListDeploymentsQuery,
      responses: { 200: DeploymentListAnswer },
      handler: async ({ principal, query }) => {
        if (query.tenantId !== undefined) refuseOtherTenant(principal, query.tenantId);
        const page = await listDeployments(models, scopeOf(principal), query, clock.now());
        const emails = await emailsOf(
          deps,
          page.deployments.map(({ deployedBy }) => deployedBy),
        );
        return { status: 200, body: deploymentListAnswer(page, emails, query) };
      },
    }),
    route({
      ...reading,
      method: 'GET',
      path: '/plugin-deployments/:deploymentId',
      summary: 'Show how a deployment is doing',
      tag,
      etag: 'version',
      params: DeploymentParams,
      responses: { 200: DeploymentAnswer },
      handler: async ({ principal, params }) => {
        const id = idInPath(DeploymentId, params.deploymentId, 'deployment');
        const view = await getDeployment(models, scopeOf(principal), id, clock.now());
        if (!view) throw notFound('deployment', id);
        const body = deploymentAnswer(view, await emailsOf(deps, [view.deployedBy]));
        return { status: 200, body, version: view.revision };
      },
    }),
    route({
      ...writing,
      conditional: 'change',
      method: 'POST',
      path: '/plugin-deployments/:deploymentId/rollback',
      summary: 'Roll a deployment back to the one before it',
      tag,
      params: DeploymentParams,
      body: RollBackBody,
      responses: { 202: RolledBackAnswer },
      handler: async ({ principal, context, params, body: { reason } }) => {
        const deploymentId = idInPath(DeploymentId, params.deploymentId, 'deployment');
        const { position, ...accepted } = await rollBackDeployment(
          deps,
          { ...context, userId: callerOf(principal).userId },
          { deploymentId, reason, within: tenantOf(principal) },
        );
        return { status: 202, body: accepted, position };
      },
    }),
  ];
}

/** When a deployment was requested, as the log has it: what later reads answer too. */
async function recordedAt(store: EventStore, id: DeploymentId): Promise<string> {
  const [requested] = await store.readStream(`deployment-${id}`, { limit: 1 });
  if (!requested) throw new Error(`${id} was not recorded`);
  return requested.metadata.at;
}
