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
} as const;
export type TenantEvent = EventsOf<typeof tenantEvents>;

// State

export const tenantStatuses = ['Active', 'Suspended'] as const;
export type TenantStatus = (typeof tenantStatuses)[number];

export interface Tenant extends z.output<typeof tenantEvents.TenantCreated.data> {
  readonly status: TenantStatus;
}

export const tenant: Aggregate<Tenant | null, TenantEvent> = {
  name: 'tenant',
  events: tenantEvents,
  initial: null,
  evolve: (_state, event) => ({ ...event.data, status: 'Active' }),
};

// What may be asked for

const bound = z.number().nonnegative().max(1_000_000_000);
const count = z.int().nonnegative().max(1_000_000_000);
const line = (most: number) => z.string().trim().min(1).max(most);

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
  allowedCategories: z
    .array(line(60))
    .max(100)
    .transform((categories) => [...new Set(categories)])
    .optional(),
  contactEmail: z.email().max(254).optional(),
  subscriptionTier: SubscriptionTier.default('Standard'),
});
export type NewTenant = z.output<typeof NewTenant>;

// Decisions

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
    const message = `There is a tenant ${sent.tenantId} already`;
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
