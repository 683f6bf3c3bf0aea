/** Tenants, each visible to itself and to the platform. */
import type { z } from 'zod';
import type { Collection, Projection } from '../core/projection.ts';
import type { TenantId } from '../domain/ids.ts';
import { slotEvents } from '../domain/slot.ts';
import { tenantEvents, type TenantStatus } from '../domain/tenant.ts';
import type { Filter, ReadModels, Scope } from '../ports/read-models.ts';
import type { Vault } from '../ports/vault.ts';
import { on, slotOfEvent } from './event-data.ts';

/** One tenant, by its id. `contactEmail` is sealed: {@link getTenant} opens it. */
export interface TenantDocument extends z.output<typeof tenantEvents.TenantCreated.data> {
  readonly status: TenantStatus;
  /** How many plugins it has, each counted once. */
  readonly pluginCount: number;
  /** `{environment in lower case}.{plugin}` of each slot with a current deployment: what is counted. */
  readonly current: readonly string[];
  /** What its instances reserve (decisions 25). */
  readonly resourceUsage: {
    readonly currentCpu: number;
    readonly currentMemoryGB: number;
    readonly currentInstances: number;
  };
  /** ISO 8601. */
  readonly updatedAt: string;
}

export const tenants: Collection<TenantDocument> = {
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
        pluginCount: 0,
        current: [],
        resourceUsage: { currentCpu: 0, currentMemoryGB: 0, currentInstances: 0 },
        updatedAt: created.createdAt,
      });
    }),
    SlotTurned: on(slotEvents.SlotTurned, async (turned, documents, event) => {
      const { tenant, environment, plugin } = slotOfEvent(event);
      const found = await documents.get(tenants, tenant);
      if (!found) return; // the platform's own slots: it has no document
      const slot = `${environment.toLowerCase()}.${plugin}`;
      const others = found.current.filter((other) => other !== slot);
      const current = turned.current === null ? others : [...others, slot];
      const pluginCount = new Set(current.map((each) => each.split('.')[1])).size;
      documents.put(tenants, tenant, tenant, { ...found, current, pluginCount });
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
    models.find<TenantDocument>(tenants.name, {
      scope,
      ...matching,
      sort: [{ path: 'createdAt', order: 'desc' }],
      limit: query.limit,
      offset: query.offset,
    }),
  ]);
  return { tenants: page.documents.map(({ data }) => data), total };
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
  const found = await models.get<TenantDocument>(tenants.name, tenantId, scope);
  if (!found) return null;
  const { contactEmail } = found.data;
  return {
    ...found.data,
    contactEmail: contactEmail === null ? null : await vault.openFor(`tenant:${tenantId}`, contactEmail),
  };
}
