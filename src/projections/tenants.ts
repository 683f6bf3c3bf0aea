/** Tenants, each visible to itself and to the platform. */
import type { Collection, Documents, Projection } from '../core/projection.ts';
import type { TenantId } from '../domain/ids.ts';
import { tenant, tenantEvents, type Tenant, type TenantEvent, type TenantStatus } from '../domain/tenant.ts';
import type { RecordedEvent } from '../ports/event-store.ts';
import type { Filter, ReadModels, Scope } from '../ports/read-models.ts';
import type { Vault } from '../ports/vault.ts';
import { usageOfTenants, type TenantUsage } from './usage.ts';

/** A tenant, and the revision of its stream that it was folded from. */
export interface TenantAt extends Tenant {
  readonly revision: number;
}

/** A tenant for its readers, with what it uses now. */
export interface TenantDocument extends TenantAt, TenantUsage {}

/** By id. `contactEmail` is sealed: {@link getTenant} opens it. */
export const tenants: Collection<TenantAt> = {
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
  version: 2,
  collections: [tenants],
  on: Object.fromEntries(Object.keys(tenantEvents).map((type) => [type, follow])),
};

async function follow(event: RecordedEvent, documents: Documents): Promise<void> {
  const id = event.stream.slice('tenant-'.length);
  const before = (await documents.get(tenants, id)) ?? tenant.initial;
  // The projector decodes by the schemas of tenantEvents before it hands an event over: the type says which data it has.
  const happened = { type: event.type, data: event.data } as { readonly type: string } as TenantEvent;
  const after = tenant.evolve(before, happened);
  if (after) documents.put(tenants, id, id, { ...after, revision: event.revision });
}

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
    models.find<TenantAt>(tenants.name, {
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

export interface TenantReading {
  readonly models: ReadModels;
  readonly vault: Pick<Vault, 'openFor'>;
}

/** Null when there is none within the scope. `contactEmail` is in the clear, or null when it has been forgotten. */
export async function getTenant(
  deps: TenantReading,
  scope: Scope,
  tenantId: TenantId,
): Promise<TenantDocument | null> {
  const found = await deps.models.get<TenantAt>(tenants.name, tenantId, scope);
  return found && (await withUsage(deps, scope, found.data));
}

/** A tenant as its stream has it, for its readers. */
export async function withUsage(
  { models, vault }: TenantReading,
  scope: Scope,
  known: TenantAt,
): Promise<TenantDocument> {
  const { tenantId, contactEmail } = known;
  const usedBy = await usageOfTenants(models, scope, [tenantId]);
  return {
    ...known,
    ...usedBy(tenantId),
    contactEmail: contactEmail === null ? null : await vault.openFor(`tenant:${tenantId}`, contactEmail),
  };
}
