/** What the tenants' deployments take: how many plugins, and what their instances reserve at least (decisions 25). */
import type { Collection, Documents, Projection } from '../core/projection.ts';
import { parseSlotKey, type DeploymentId, type Slot, type SlotKey, type TenantId } from '../domain/ids.ts';
import { quotaEvents } from '../domain/quota.ts';
import type { ReadModels, Scope } from '../ports/read-models.ts';
import { on } from './event-data.ts';
import { install, type Installation } from './installations.ts';
import { onSlots, type FoldedSlot } from './slot-fold.ts';

/** At the peak of every rollout: all instances of the new deployment beside all of those that it replaces. */
interface Reserved {
  /** Whole millionths, so that sums of many fractions come back to zero. */
  readonly microCpu: number;
  readonly microMemoryMB: number;
  readonly instances: number;
}

interface UsageDocument extends Reserved {
  readonly tenantId: TenantId;
  readonly pluginCount: number;
}

/** By tenant; absent before its first deployment. */
export const usage: Collection<UsageDocument> = {
  name: 'usage',
  visibility: 'tenant',
  indexes: [{ fields: ['tenantId'] }],
  text: [],
};

const usageSlots: Collection<FoldedSlot> = {
  name: 'usage_slots',
  visibility: 'tenant',
  indexes: [],
  text: [],
};

interface UsageReservation extends Reserved {
  readonly slot: SlotKey;
}

/** The live ones, by deployment. */
const usageReservations: Collection<UsageReservation> = {
  name: 'usage_reservations',
  visibility: 'tenant',
  indexes: [],
  text: [],
};

const usagePlugins: Collection<Installation> = {
  name: 'usage_plugins',
  visibility: 'tenant',
  indexes: [],
  text: [],
};

const nothing: Reserved = { microCpu: 0, microMemoryMB: 0, instances: 0 };

export const usageProjection: Projection = {
  name: 'usage',
  version: 3,
  collections: [usage, usageSlots, usageReservations, usagePlugins],
  on: {
    ...onSlots(usageSlots, async ({ key, slot, before, after }, documents) => {
      documents.put(usageSlots, key, slot.tenant, { state: after });
      if (before.current !== after.current) await countPlugin(documents, slot, after.current !== null);
    }),
    QuotaReserved: on(quotaEvents.QuotaReserved, async (reserved, documents) => {
      const { deploymentId, slot, cpu, memoryMB, instances } = reserved;
      await reserve(documents, deploymentId, tenantOf(slot), {
        ...{ slot, instances },
        microCpu: micro(cpu),
        microMemoryMB: micro(memoryMB),
      });
    }),
    QuotaReleased: on(quotaEvents.QuotaReleased, ({ deploymentId, slot }, documents) =>
      reserve(documents, deploymentId, tenantOf(slot), null),
    ),
  },
};

function micro(amount: number): number {
  return Math.round(amount * 1e6);
}

function tenantOf(key: SlotKey): TenantId {
  const parts = parseSlotKey(key);
  if (!parts) throw new Error(`${key} is no slot`);
  return parts.tenant;
}

/** Puts what a deployment reserves now, null for nothing, in the place of what it reserved before. */
async function reserve(
  documents: Documents,
  id: DeploymentId,
  tenant: TenantId,
  reserved: UsageReservation | null,
): Promise<void> {
  const before = (await documents.get(usageReservations, id)) ?? nothing;
  if (reserved) documents.put(usageReservations, id, tenant, reserved);
  else documents.delete(usageReservations, id);
  const change = sum(reserved ?? nothing, before, -1);
  if (Object.values(change).every((amount) => amount === 0)) return;
  const known = await usageOf(documents, tenant);
  documents.put(usage, tenant, tenant, { ...known, ...sum(known, change, 1) });
}

function sum(a: Reserved, b: Reserved, times: 1 | -1): Reserved {
  return {
    microCpu: a.microCpu + times * b.microCpu,
    microMemoryMB: a.microMemoryMB + times * b.microMemoryMB,
    instances: a.instances + times * b.instances,
  };
}

async function countPlugin(documents: Documents, slot: Slot, isCurrent: boolean): Promise<void> {
  const change = await install(documents, usagePlugins, slot, isCurrent);
  if (change === 0) return;
  const known = await usageOf(documents, slot.tenant);
  documents.put(usage, slot.tenant, slot.tenant, { ...known, pluginCount: known.pluginCount + change });
}

async function usageOf(documents: Documents, tenantId: TenantId): Promise<UsageDocument> {
  return (await documents.get(usage, tenantId)) ?? { tenantId, pluginCount: 0, ...nothing };
}

/** As a tenant's readers see it. */
export interface TenantUsage {
  /** How many plugins are current in at least one of its environments. */
  readonly pluginCount: number;
  readonly resourceUsage: {
    readonly currentCpu: number;
    /** Of 1,024 MB. */
    readonly currentMemoryGB: number;
    readonly currentInstances: number;
  };
}

/** Of those tenants within the scope; who has deployed nothing uses nothing. @param tenantIds at most 1,000 */
export async function usageOfTenants(
  models: ReadModels,
  scope: Scope,
  tenantIds: readonly TenantId[],
): Promise<(tenantId: TenantId) => TenantUsage> {
  const page =
    tenantIds.length === 0
      ? { documents: [] }
      : await models.find<UsageDocument>(usage.name, {
          scope,
          filter: { in: ['tenantId', tenantIds] },
          limit: tenantIds.length,
        });
  const found = new Map(page.documents.map(({ data }) => [data.tenantId, data]));
  return (tenantId) => {
    const { pluginCount, microCpu, microMemoryMB, instances } = found.get(tenantId) ?? {
      pluginCount: 0,
      ...nothing,
    };
    return {
      pluginCount,
      resourceUsage: {
        currentCpu: microCpu / 1e6,
        currentMemoryGB: Math.round((microMemoryMB / 1e6 / 1024) * 1e6) / 1e6,
        currentInstances: instances,
      },
    };
  };
}

const platform: Scope = { kind: 'platform' };
const pageSize = 200;

/** Slots that something is reserved for, a slot once for each deployment, page by page. */
export async function* reservedSlots(models: ReadModels): AsyncGenerator<SlotKey, void> {
  let cursor: string | undefined;
  do {
    const page = await models.find<UsageReservation>(usageReservations.name, {
      scope: platform,
      limit: pageSize,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { data } of page.documents) yield data.slot;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
