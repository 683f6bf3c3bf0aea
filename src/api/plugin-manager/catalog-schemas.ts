/** The marketplace and capabilities as the Plugin Manager API writes them. */
import { z } from 'zod';
import type { CapabilityPage } from '../../projections/capabilities.ts';
import type { PluginPage, SearchPage } from '../../projections/plugin-lists.ts';
import * as examples from './answer-examples.ts';
import { pageMembers, pagingQuery } from './paging.ts';
import { pluginFilters, PluginListAnswer, PluginSummary, pluginSummary } from './plugin-schemas.ts';

interface Paging {
  readonly limit: number;
  readonly offset: number;
}

// Requests

export const BrowseMarketplaceQuery = z.strictObject({
  ...pluginFilters,
  featured: z
    .enum(['true', 'false'])
    .transform((text) => text === 'true')
    .optional()
    .meta({ description: 'Only those that are featured, or only those that are not', example: 'true' }),
  ...pagingQuery,
});

export const SearchMarketplaceQuery = z.strictObject({
  q: z
    .string()
    .max(200)
    .regex(/\S/, 'must not be empty')
    .meta({ description: 'Words of the name or description, or how they begin', example: 'payment' }),
  ...pluginFilters,
  ...pagingQuery,
});

export const ListCapabilitiesQuery = z.strictObject(pagingQuery);
export const CapabilityPluginsQuery = z.strictObject(pagingQuery);

/** Any text: ids of capabilities follow no rule. */
export const CapabilityParams = z.strictObject({
  capabilityId: z.string().meta({ example: 'IPaymentProcessor' }),
});

// Answers

export const MarketplaceAnswer = PluginListAnswer.meta({
  id: 'MarketplacePage',
  example: examples.marketplacePage,
});

export const SearchAnswer = z
  .object({
    query: z.string().meta({ description: 'What was asked for', example: 'payment' }),
    results: z.array(
      PluginSummary.extend({
        relevanceScore: z.number().meta({ description: '0..1, the best first', example: 0.95 }),
      }),
    ),
    ...pageMembers,
    total: z.int().meta({ description: 'How many there are on all pages, counted up to 1,000' }),
  })
  .meta({ id: 'SearchPage', example: examples.searchPage });

export const CapabilityListAnswer = z
  .object({
    capabilities: z.array(
      z.object({
        capabilityId: z.string(),
        name: z.string(),
        version: z.string(),
        pluginCount: z.int().meta({ description: 'Plugins that have it in their latest version' }),
      }),
    ),
    ...pageMembers,
  })
  .meta({ id: 'CapabilityPage', example: examples.capabilityPage });

export const CapabilityPluginsAnswer = z
  .object({
    capabilityId: z.string(),
    plugins: z.array(
      z.object({
        pluginId: z.string(),
        name: z.string(),
        latestVersion: z.string().nullable(),
        capabilityVersions: z
          .array(z.string())
          .meta({ description: 'In which versions it has the capability', example: ['1.0'] }),
      }),
    ),
    ...pageMembers,
  })
  .meta({ id: 'CapabilityPlugins', example: examples.capabilityPlugins });

export function searchAnswer(
  { results, total }: SearchPage,
  { q, limit, offset }: Paging & { readonly q: string },
): z.output<typeof SearchAnswer> {
  const shown = results.map(({ plugin, relevance }) => ({
    ...pluginSummary(plugin),
    relevanceScore: relevance,
  }));
  return { query: q, results: shown, total, limit, offset };
}

export function capabilityListAnswer(
  { capabilities, total }: CapabilityPage,
  { limit, offset }: Paging,
): z.output<typeof CapabilityListAnswer> {
  const shown = capabilities.map(({ capabilityId, name, version, pluginCount }) => ({
    ...{ capabilityId, name, version, pluginCount },
  }));
  return { capabilities: shown, total, limit, offset };
}

export function capabilityPluginsAnswer(
  capabilityId: string,
  { plugins, total }: PluginPage,
  { limit, offset }: Paging,
): z.output<typeof CapabilityPluginsAnswer> {
  const shown = plugins.map(({ pluginId, name, latestVersion, capabilities }) => ({
    ...{ pluginId, name, latestVersion },
    capabilityVersions: capabilities
      .filter((one) => one.capabilityId === capabilityId)
      .map(({ version }) => version),
  }));
  return { capabilityId, plugins: shown, total, limit, offset };
}
