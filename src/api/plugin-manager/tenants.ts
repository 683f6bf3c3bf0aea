/** Tenants ("Tenants API"). */
import { createTenant, type CreateTenantDeps } from '../../commands/create-tenant.ts';
import { TenantId } from '../../domain/ids.ts';
import type { ReadModels } from '../../ports/read-models.ts';
import type { Vault } from '../../ports/vault.ts';
import { getTenant, listTenants, tenantsProjection } from '../../projections/tenants.ts';
import { usageProjection } from '../../projections/usage.ts';
import { route, type Route } from '../http/route.ts';
import { idInPath, notFound, refuseOtherTenant, scopeOf } from './scope.ts';
import {
  CreatedTenantAnswer,
  CreateTenantBody,
  ListTenantsQuery,
  TenantDetailsAnswer,
  tenantDetailsAnswer,
  TenantListAnswer,
  tenantListAnswer,
  TenantParams,
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
      policy: { permission: 'tenants:read' },
      reads,
      params: TenantParams,
      responses: { 200: TenantDetailsAnswer },
      handler: async ({ principal, params }) => {
        refuseOtherTenant(principal, params.tenantId);
        const tenantId = idInPath(TenantId, params.tenantId, 'tenant');
        const tenant = await getTenant(deps, scopeOf(principal), tenantId);
        if (!tenant) throw notFound('tenant', tenantId);
        return { status: 200, body: tenantDetailsAnswer(tenant) };
      },
    }),
  ];
}
