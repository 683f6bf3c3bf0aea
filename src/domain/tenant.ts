/** A tenant: who runs plugins, within which bounds. Created by the platform's staff. */
import { z } from 'zod';
import type { Aggregate, EventsOf } from './event.ts';
import { platformTenant, TenantId } from './ids.ts';
import { refuse, type Decision } from './refusal.ts';

// Events

const quotas = z.object({
  maxPlugins: z.number().nullable(),
  maxCpu: z.number().nullable(),
  maxMemoryGB: z.number().nullable(),
  maxStorageGB: z.number().nullable(),
});
const rateLimits = z.object({
  maxRequestsPerMinute: z.number().nullable(),
  maxDeploymentsPerHour: z.number().nullable(),
});

export const tenantEvents = {
  TenantCreated: {
    schema: 1,
    data: z.object({
      tenantId: TenantId,
      name: z.string(),
      description: z.string().nullable(),
      namespace: z.string(),
      /** Null: there is no such bound (decisions 16). */
      quotas,
      rateLimits,
      /** Null: every category. */
      allowedCategories: z.array(z.string()).nullable(),
      /** Sealed with the tenant's key. */
      contactEmail: z.string().nullable(),
      subscriptionTier: z.string(),
      createdAt: z.string(),
    }),
  },
  /** What has changed, and nothing else. */
  TenantEdited: {
    schema: 1,
    data: z.strictObject({
      name: z.string().exactOptional(),
      description: z.string().nullable().exactOptional(),
      quotas: quotas.exactOptional(),
      rateLimits: rateLimits.exactOptional(),
      allowedCategories: z.array(z.string()).nullable().exactOptional(),
      /** Sealed with the tenant's key. */
      contactEmail: z.string().nullable().exactOptional(),
      subscriptionTier: z.string().exactOptional(),
      at: z.string(),
    }),
  },
  /** Its users can write nothing; what runs runs on. */
  TenantSuspended: { schema: 1, data: z.strictObject({ at: z.string() }) },
  TenantReactivated: { schema: 1, data: z.strictObject({ at: z.string() }) },
} as const;
export type TenantEvent = EventsOf<typeof tenantEvents>;

// State

export const tenantStatuses = ['Active', 'Suspended'] as const;
export type TenantStatus = (typeof tenantStatuses)[number];

export interface Tenant extends z.output<typeof tenantEvents.TenantCreated.data> {
  readonly status: TenantStatus;
  /** ISO 8601. */
  readonly updatedAt: string;
}

export const tenant: Aggregate<Tenant | null, TenantEvent> = {
  name: 'tenant',
  events: tenantEvents,
  initial: null,
  evolve: (state, { type, data }) => {
    if (type === 'TenantCreated') return { ...data, status: 'Active', updatedAt: data.createdAt };
    if (!state) throw new Error(`${type} of a tenant that was never created`);
    const { at, ...changed } = data;
    switch (type) {
      case 'TenantEdited':
        return { ...state, ...changed, updatedAt: at };
      case 'TenantSuspended':
        return { ...state, status: 'Suspended', updatedAt: at };
      case 'TenantReactivated':
        return { ...state, status: 'Active', updatedAt: at };
    }
  },
};

// What may be asked for

const bound = z.number().nonnegative().max(1_000_000_000);
const count = z.int().nonnegative().max(1_000_000_000);
const line = (most: number) => z.string().trim().min(1).max(most);

const categories = z
  .array(line(60))
  .max(100)
  .transform((named) => [...new Set(named)]);

export const SubscriptionTier = z
  .string()
  .regex(
    /^[A-Za-z][A-Za-z0-9 -]{0,39}$/,
    'Must start with a letter and have at most 40 letters, numbers, blanks or dashes',
  );

export const NewTenant = z.strictObject({
  tenantId: TenantId,
  name: line(200),
  description: z.string().max(2_000).optional(),
  /** Unique over all tenants; the tenant's id when absent. */
  namespace: z
    .string()
    .min(1)
    .max(63)
    .regex(
      /^[a-z0-9]+([_-][a-z0-9]+)*$/,
      'Namespace must contain only lowercase letters, numbers, and single dashes or underscores between them',
    )
    .optional(),
  quotas: z
    .strictObject({
      maxPlugins: count.optional(),
      maxCpu: bound.optional(),
      maxMemoryGB: bound.optional(),
      maxStorageGB: bound.optional(),
    })
    .optional(),
  rateLimits: z
    .strictObject({ maxRequestsPerMinute: count.optional(), maxDeploymentsPerHour: count.optional() })
    .optional(),
  allowedCategories: categories.optional(),
  contactEmail: z.email().max(254).optional(),
  subscriptionTier: SubscriptionTier.default('Standard'),
});
export type NewTenant = z.output<typeof NewTenant>;

/** What is absent stays as it is; null removes it. */
export const TenantChanges = z.strictObject({
  name: line(200).optional(),
  description: z.string().max(2_000).nullable().optional(),
  quotas: z
    .strictObject({
      maxPlugins: count.nullable().optional(),
      maxCpu: bound.nullable().optional(),
      maxMemoryGB: bound.nullable().optional(),
      maxStorageGB: bound.nullable().optional(),
    })
    .optional(),
  rateLimits: z
    .strictObject({
      maxRequestsPerMinute: count.nullable().optional(),
      maxDeploymentsPerHour: count.nullable().optional(),
    })
    .optional(),
  allowedCategories: categories.nullable().optional(),
  contactEmail: z.email().max(254).nullable().optional(),
  subscriptionTier: SubscriptionTier.optional(),
  status: z.enum(tenantStatuses).optional(),
});
export type TenantChanges = z.output<typeof TenantChanges>;

// Decisions

/** Of an id that no tenant has. The platform's own is known to everybody who works there, and yet is none. */
export function noSuchTenant(tenantId: string): string {
  if (tenantId !== platformTenant) return `There is no tenant ${tenantId}`;
  return `${platformTenant} is where the platform's own staff belongs; it runs no plugins and has no bounds. Its users are listed with tenantId=${platformTenant}`;
}

export const namespaceTaken = {
  field: 'namespace',
  message: 'Another tenant has this namespace already',
} as const;

export function namespaceOf({ namespace, tenantId }: NewTenant): string {
  return namespace ?? tenantId;
}

/** @param contactEmail sealed with the tenant's key */
export function createTenant(
  existing: Tenant | null,
  sent: NewTenant,
  { contactEmail, at }: { readonly contactEmail: string | null; readonly at: string },
): Decision<TenantEvent> {
  if (existing || sent.tenantId === platformTenant) {
    const message = existing
      ? `There is a tenant ${sent.tenantId} already`
      : `${platformTenant} belongs to the platform's own staff already`;
    return refuse('Conflict', message, { field: 'tenantId', message });
  }
  if (namespaceOf(sent) === platformTenant) return refuse('Conflict', namespaceTaken.message, namespaceTaken);
  return [
    {
      type: 'TenantCreated',
      data: {
        tenantId: sent.tenantId,
        name: sent.name,
        description: sent.description ?? null,
        namespace: namespaceOf(sent),
        quotas: {
          maxPlugins: sent.quotas?.maxPlugins ?? null,
          maxCpu: sent.quotas?.maxCpu ?? null,
          maxMemoryGB: sent.quotas?.maxMemoryGB ?? null,
          maxStorageGB: sent.quotas?.maxStorageGB ?? null,
        },
        rateLimits: {
          maxRequestsPerMinute: sent.rateLimits?.maxRequestsPerMinute ?? null,
          maxDeploymentsPerHour: sent.rateLimits?.maxDeploymentsPerHour ?? null,
        },
        allowedCategories: sent.allowedCategories ?? null,
        contactEmail,
        subscriptionTier: sent.subscriptionTier,
        createdAt: at,
      },
    },
  ];
}

/**
 * What is so already changes nothing.
 * @param contactEmail sealed with the tenant's key; undefined: it stays as it is
 */
export function editTenant(
  state: Tenant | null,
  sent: TenantChanges,
  {
    tenantId,
    contactEmail,
    at,
  }: {
    readonly tenantId: TenantId;
    readonly contactEmail: string | null | undefined;
    readonly at: string;
  },
): Decision<TenantEvent> {
  if (!state) return refuse('NotFound', noSuchTenant(tenantId));
  const wanted = {
    name: sent.name,
    description: sent.description,
    quotas: overlaid(state.quotas, sent.quotas),
    rateLimits: overlaid(state.rateLimits, sent.rateLimits),
    allowedCategories: sent.allowedCategories,
    contactEmail,
    subscriptionTier: sent.subscriptionTier,
  };
  const known: Readonly<Record<string, unknown>> = { ...state };
  const changed = Object.entries(wanted).filter(
    ([name, value]) => value !== undefined && JSON.stringify(value) !== JSON.stringify(known[name]),
  );
  const edited = tenantEvents.TenantEdited.data.parse({ ...Object.fromEntries(changed), at });
  const turned = sent.status === 'Suspended' ? 'TenantSuspended' : 'TenantReactivated';
  return [
    ...(changed.length > 0 ? [{ type: 'TenantEdited', data: edited } as const] : []),
    ...(sent.status !== undefined && sent.status !== state.status
      ? [{ type: turned, data: { at } } as const]
      : []),
  ];
}

/** The members of `known`, in their order, with those that were sent in their place. */
function overlaid<T extends object>(
  known: T,
  sent: { readonly [K in keyof T]?: T[K] | undefined } | undefined,
): T {
  const named = Object.entries(sent ?? {}).filter(([, value]) => value !== undefined);
  return { ...known, ...Object.fromEntries(named) };
}
