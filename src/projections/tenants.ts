/** Tenants, each visible to itself and to the platform. */
import type { z } from 'zod';
import type { Collection, Projection } from '../core/projection.ts';
import type { TenantId } from '../domain/ids.ts';
import { tenantEvents, type TenantStatus } from '../domain/tenant.ts';
import type { Filter, ReadModels, Scope } from '../ports/read-models.ts';
import type { Vault } from '../ports/vault.ts';
import { on } from './event-data.ts';
import { usageOfTenants, type TenantUsage } from './usage.ts';

/** One tenant, by its id. `contactEmail` is sealed: {@link getTenant} opens it. */
interface StoredTenant extends z.output<typeof tenantEvents.TenantCreated.data> {
  readonly status: TenantStatus;
  /** ISO 8601. */
  readonly updatedAt: string;
}

/** A tenant for its readers: as it was created, with what it uses now. */
export interface TenantDocument extends StoredTenant, TenantUsage {}

export const tenants: Collection<StoredTenant> = {
  name: 'tenants',
  visibility: 'tenant',
  indexes: [
    { fields: ['createdAt'] },
    { fields: ['status', 'createdAt'] },
    { fields: ['subscriptionTier', 'createdAt'] },
  ],
  text: [],
};

export const tenantsProjection: Projection = {
  name: 'tenants',
  version: 1,
  collections: [tenants],
  on: {
    TenantCreated: on(tenantEvents.TenantCreated, (created, documents) => {
      documents.put(tenants, created.tenantId, created.tenantId, {
        ...created,
        status: 'Active',
        updatedAt: created.createdAt,
      });
    }),
  },
};

export interface TenantQuery {
  readonly status?: TenantStatus | undefined;
  readonly tier?: string | undefined;
  /** 1..100. */
  readonly limit: number;
  readonly offset: number;
}

export interface TenantPage {
  readonly tenants: readonly TenantDocument[];
  /** How many match, on all pages. */
  readonly total: number;
}

/** The newest first. */
export async function listTenants(models: ReadModels, scope: Scope, query: TenantQuery): Promise<TenantPage> {
  const matching = filterOf(query);
  const [total, page] = await Promise.all([
    models.count(tenants.name, { scope, ...matching }),
    models.find<StoredTenant>(tenants.name, {
      scope,
      ...matching,
      sort: [{ path: 'createdAt', order: 'desc' }],
      limit: query.limit,
      offset: query.offset,
    }),
  ]);
  const ids = page.documents.map(({ data }) => data.tenantId);
  const usedBy = await usageOfTenants(models, scope, ids);
  return { tenants: page.documents.map(({ data }) => ({ ...data, ...usedBy(data.tenantId) })), total };
}

function filterOf({ status, tier }: TenantQuery): { readonly filter?: Filter } {
  const and: Filter[] = [];
  if (status !== undefined) and.push({ equal: ['status', status] });
  if (tier !== undefined) and.push({ equal: ['subscriptionTier', tier] });
  return and.length === 0 ? {} : { filter: { and } };
}

/** Null when there is none within the scope. `contactEmail` is in the clear, or null when it has been forgotten. */
export async function getTenant(
  { models, vault }: { readonly models: ReadModels; readonly vault: Pick<Vault, 'openFor'> },
  scope: Scope,
  tenantId: TenantId,
): Promise<TenantDocument | null> {
  const found = await models.get<StoredTenant>(tenants.name, tenantId, scope);
  if (!found) return null;
  const usedBy = await usageOfTenants(models, scope, [tenantId]);
  const { contactEmail } = found.data;
  return {
    ...found.data,
    ...usedBy(tenantId),
    contactEmail: contactEmail === null ? null : await vault.openFor(`tenant:${tenantId}`, contactEmail),
  };
}
