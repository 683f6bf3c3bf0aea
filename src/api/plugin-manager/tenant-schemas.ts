/** Tenants as the Plugin Manager API writes them: requests, answers, and how answers are made. */
import { z } from 'zod';
import {
  NewTenant,
  SubscriptionTier,
  TenantChanges,
  tenantEvents,
  tenantStatuses,
} from '../../domain/tenant.ts';
import { tenantPluginStatuses, type TenantPlugin } from '../../projections/tenant-plugins.ts';
import type { TenantDocument, TenantPage } from '../../projections/tenants.ts';
import * as examples from './answer-examples.ts';
import { pageMembers, pagingQuery } from './paging.ts';
import { newTenant } from './request-examples.ts';

// Requests

export const CreateTenantBody = NewTenant.meta({
  id: 'NewTenant',
  description: 'A tenant; a quota or limit that is not given does not exist',
  example: newTenant,
});

export const EditTenantBody = TenantChanges.meta({
  id: 'TenantChanges',
  description: 'What is absent stays as it is; null removes a bound',
  example: { quotas: { maxPlugins: 30, maxStorageGB: null }, status: 'Active' },
});

export const ListTenantsQuery = z.strictObject({
  status: z.enum(tenantStatuses).optional().meta({ example: 'Active' }),
  tier: SubscriptionTier.optional().meta({ example: 'Enterprise' }),
  ...pagingQuery,
});

/** Any text: what is no id of a tenant does not exist. */
export const TenantParams = z.strictObject({ tenantId: z.string() });

// Answers

const instant = z.iso.datetime().meta({ example: '2025-11-23T12:00:00.000Z' });

export const CreatedTenantAnswer = z
  .object({
    tenantId: z.string(),
    name: z.string(),
    namespace: z.string(),
    status: z.enum(tenantStatuses),
    createdAt: instant,
  })
  .meta({ id: 'CreatedTenant', example: examples.createdTenant });

const TenantSummary = z
  .object({
    tenantId: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    namespace: z.string(),
    status: z.enum(tenantStatuses),
    subscriptionTier: z.string(),
    pluginCount: z.int().meta({ description: 'How many plugins it has, each counted once' }),
    createdAt: instant,
    updatedAt: instant,
  })
  .meta({ id: 'TenantSummary' });
export const TenantListAnswer = z
  .object({ tenants: z.array(TenantSummary), ...pageMembers })
  .meta({ id: 'TenantPage', example: examples.tenantPage });

const { quotas, rateLimits, allowedCategories } = tenantEvents.TenantCreated.data.shape;
export const TenantDetailsAnswer = TenantSummary.extend({
  quotas: quotas.meta({ description: 'Null: there is no such bound' }),
  rateLimits,
  allowedCategories: allowedCategories.meta({ description: 'Null: every category' }),
  contactEmail: z.string().nullable(),
  resourceUsage: z
    .object({ currentCpu: z.number(), currentMemoryGB: z.number(), currentInstances: z.int() })
    .meta({ description: 'What its instances reserve' }),
}).meta({ id: 'Tenant', example: examples.tenant });

export const TenantPluginsAnswer = z
  .object({
    tenantId: z.string(),
    plugins: z.array(
      z.object({
        pluginId: z.string(),
        pluginVersion: z.string(),
        environment: z.string(),
        status: z.enum(tenantPluginStatuses),
        healthyInstances: z.int(),
        totalInstances: z.int(),
        deployedAt: instant,
        deploymentId: z.string(),
      }),
    ),
    total: z.int(),
  })
  .meta({
    id: 'TenantPlugins',
    example: {
      tenantId: 'tenant-acme-corp',
      plugins: [
        {
          pluginId: 'payment-stripe',
          pluginVersion: '2.0.0',
          environment: 'Production',
          status: 'Active',
          healthyInstances: 10,
          totalInstances: 10,
          deployedAt: '2025-11-23T12:00:00Z',
          deploymentId: 'dep-xyz789',
        },
      ],
      total: 1,
    },
  });

export function tenantPluginsAnswer(
  tenantId: string,
  plugins: readonly TenantPlugin[],
): z.output<typeof TenantPluginsAnswer> {
  return { tenantId, plugins: [...plugins], total: plugins.length };
}

export function tenantListAnswer(
  { tenants, total }: TenantPage,
  { limit, offset }: { readonly limit: number; readonly offset: number },
): z.output<typeof TenantListAnswer> {
  return { tenants: tenants.map(tenantSummary), total, limit, offset };
}

function tenantSummary(tenant: TenantDocument): z.output<typeof TenantSummary> {
  const { tenantId, name, description, namespace, status, subscriptionTier, pluginCount } = tenant;
  const { createdAt, updatedAt } = tenant;
  return {
    tenantId,
    name,
    description,
    namespace,
    status,
    subscriptionTier,
    pluginCount,
    createdAt,
    updatedAt,
  };
}

export function tenantDetailsAnswer(tenant: TenantDocument): z.output<typeof TenantDetailsAnswer> {
  const { quotas, rateLimits, allowedCategories, contactEmail, resourceUsage } = tenant;
  return { ...tenantSummary(tenant), quotas, rateLimits, allowedCategories, contactEmail, resourceUsage };
}
