/** Tenants ("Tenants API"). */
import { createTenant, type CreateTenantDeps } from '../../commands/create-tenant.ts';
import { editTenant } from '../../commands/edit-tenant.ts';
import { TenantId } from '../../domain/ids.ts';
import type { ReadModels } from '../../ports/read-models.ts';
import type { Vault } from '../../ports/vault.ts';
import { deploymentsProjection } from '../../projections/deployments.ts';
import { slotsProjection } from '../../projections/slots.ts';
import { pluginsOfTenant } from '../../projections/tenant-plugins.ts';
import { getTenant, listTenants, tenantsProjection, withUsage } from '../../projections/tenants.ts';
import { usageProjection } from '../../projections/usage.ts';
import { route, type Route } from '../http/route.ts';
import { idInPath, noTenant, refuseOtherTenant, scopeOf } from './scope.ts';
import {
  CreatedTenantAnswer,
  CreateTenantBody,
  EditTenantBody,
  ListTenantsQuery,
  TenantDetailsAnswer,
  tenantDetailsAnswer,
  TenantListAnswer,
  tenantListAnswer,
  TenantParams,
  TenantPluginsAnswer,
  tenantPluginsAnswer,
} from './tenant-schemas.ts';

export interface TenantRoutesDeps extends CreateTenantDeps {
  readonly models: ReadModels;
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>;
}

const tag = 'Tenants';
const reads = [tenantsProjection.name, usageProjection.name];

export function tenantRoutes(deps: TenantRoutesDeps): readonly Route[] {
  return [
    route({
      method: 'POST',
      path: '/tenants',
      summary: 'Create a tenant',
      tag,
      policy: { permission: 'tenants:write' },
      idempotent: true,
      body: CreateTenantBody,
      responses: { 201: CreatedTenantAnswer },
      handler: async ({ context, body }) => {
        const { position, ...created } = await createTenant(deps, context, body);
        return { status: 201, body: created, position };
      },
    }),
    route({
      method: 'GET',
      path: '/tenants',
      summary: 'List tenants',
      tag,
      policy: { permission: 'tenants:list' },
      reads,
      query: ListTenantsQuery,
      responses: { 200: TenantListAnswer },
      handler: async ({ principal, query }) => {
        const page = await listTenants(deps.models, scopeOf(principal), query);
        return { status: 200, body: tenantListAnswer(page, query) };
      },
    }),
    route({
      method: 'GET',
      path: '/tenants/:tenantId',
      summary: 'Show a tenant',
      tag,
      etag: 'version',
      policy: { permission: 'tenants:read' },
      reads,
      params: TenantParams,
      responses: { 200: TenantDetailsAnswer },
      handler: async ({ principal, params }) => {
        refuseOtherTenant(principal, params.tenantId);
        const tenantId = idInPath(TenantId, params.tenantId, 'tenant');
        const tenant = await getTenant(deps, scopeOf(principal), tenantId);
        if (!tenant) throw noTenant(tenantId);
        return { status: 200, body: tenantDetailsAnswer(tenant), version: tenant.revision };
      },
    }),
    route({
      method: 'PATCH',
      path: '/tenants/:tenantId',
      summary: 'Change a tenant, suspend it, or let it write again',
      tag,
      policy: { permission: 'tenants:write' },
      idempotent: true,
      etag: 'version',
      conditional: 'change',
      params: TenantParams,
      body: EditTenantBody,
      responses: { 200: TenantDetailsAnswer },
      handler: async ({ principal, context, params, body }) => {
        const tenantId = idInPath(TenantId, params.tenantId, 'tenant');
        const { tenant, revision, position } = await editTenant(deps, context, tenantId, body);
        const shown = await withUsage(deps, scopeOf(principal), { ...tenant, revision });
        return { status: 200, body: tenantDetailsAnswer(shown), version: revision, position };
      },
    }),
    route({
      method: 'GET',
      path: '/tenants/:tenantId/plugins',
      summary: "List a tenant's plugins",
      tag,
      policy: { permission: 'tenants:read' },
      reads: [tenantsProjection.name, slotsProjection.name, deploymentsProjection.name],
      params: TenantParams,
      responses: { 200: TenantPluginsAnswer },
      handler: async ({ principal, params }) => {
        refuseOtherTenant(principal, params.tenantId);
        const tenantId = idInPath(TenantId, params.tenantId, 'tenant');
        const tenant = await getTenant(deps, scopeOf(principal), tenantId);
        if (!tenant) throw noTenant(tenantId);
        const plugins = await pluginsOfTenant(deps.models, tenantId, deps.clock.now());
        return { status: 200, body: tenantPluginsAnswer(tenantId, plugins) };
      },
    }),
  ];
}
