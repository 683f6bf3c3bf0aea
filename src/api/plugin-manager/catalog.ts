/** What is on offer: the marketplace and the capabilities of its plugins ("Capabilities API", "Marketplace API"). */
import type { ReadModels } from '../../ports/read-models.ts';
import { listCapabilities } from '../../projections/capabilities.ts';
import {
  browseMarketplace,
  pluginsWithCapability,
  searchMarketplace,
} from '../../projections/plugin-lists.ts';
import { pluginsProjection } from '../../projections/plugins.ts';
import { route, type Route } from '../http/route.ts';
import {
  BrowseMarketplaceQuery,
  CapabilityListAnswer,
  capabilityListAnswer,
  CapabilityParams,
  CapabilityPluginsAnswer,
  capabilityPluginsAnswer,
  CapabilityPluginsQuery,
  ListCapabilitiesQuery,
  MarketplaceAnswer,
  SearchAnswer,
  searchAnswer,
  SearchMarketplaceQuery,
} from './catalog-schemas.ts';
import { pluginListText } from './plugin-schemas.ts';
import { notFound, scopeOf } from './scope.ts';

const reading = { method: 'GET', reads: [pluginsProjection.name] } as const;
const ofMarketplace = { ...reading, tag: 'Marketplace', policy: { permission: 'marketplace:read' } } as const;
const ofCapabilities = { ...reading, tag: 'Capabilities', policy: { permission: 'plugins:read' } } as const;

export function catalogRoutes({ models }: { readonly models: ReadModels }): readonly Route[] {
  return [
    route({
      ...ofMarketplace,
      path: '/marketplace/plugins',
      summary: 'Browse the marketplace',
      query: BrowseMarketplaceQuery,
      responses: { 200: MarketplaceAnswer },
      handler: async ({ principal, query }) => {
        const page = await browseMarketplace(models, scopeOf(principal), query);
        return { status: 200, ...pluginListText(page) };
      },
    }),
    route({
      ...ofMarketplace,
      path: '/marketplace/search',
      operationId: 'searchMarketplace',
      summary: 'Search the marketplace',
      query: SearchMarketplaceQuery,
      responses: { 200: SearchAnswer },
      handler: async ({ principal, query }) => {
        const page = await searchMarketplace(models, scopeOf(principal), query);
        return { status: 200, body: searchAnswer(page, query) };
      },
    }),
    route({
      ...ofCapabilities,
      path: '/capabilities',
      summary: 'List what plugins are capable of',
      query: ListCapabilitiesQuery,
      responses: { 200: CapabilityListAnswer },
      handler: async ({ principal, query }) => {
        const page = await listCapabilities(models, scopeOf(principal), query);
        return { status: 200, body: capabilityListAnswer(page, query) };
      },
    }),
    route({
      ...ofCapabilities,
      path: '/capabilities/:capabilityId/plugins',
      summary: 'List the plugins that have a capability',
      params: CapabilityParams,
      query: CapabilityPluginsQuery,
      responses: { 200: CapabilityPluginsAnswer },
      handler: async ({ principal, params: { capabilityId }, query }) => {
        const page = await pluginsWithCapability(models, scopeOf(principal), { ...query, capabilityId });
        // A capability is there as long as a plugin has it.
        if (page.total === 0) throw notFound('capability', capabilityId);
        return { status: 200, body: capabilityPluginsAnswer(capabilityId, page, query) };
      },
    }),
  ];
}
