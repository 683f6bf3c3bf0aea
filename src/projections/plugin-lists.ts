/** Plugins in pages: the registry's, the marketplace's, and those that have a capability. */
import { relevance, searchWords } from '../core/search.ts';
import type { PluginStatus } from '../domain/plugin.ts';
import type { DocumentPage, Filter, Query, ReadModels, Scope } from '../ports/read-models.ts';
import { plugins, type PluginDocument } from './plugins.ts';

interface Page {
  /** 1..100. */
  readonly limit: number;
  readonly offset: number;
}

interface Narrowed {
  readonly category?: string | undefined;
  readonly status?: PluginStatus | undefined;
  /** All of them (decisions 17). */
  readonly tags?: readonly string[] | undefined;
}

export interface PluginQuery extends Narrowed, Page {
  /** Words of the name or description, as a person types them. */
  readonly search?: string | undefined;
}

/** The same object for as long as nothing of it has changed and the read models keep it: what is made of it can be kept with it. */
export interface PluginPage extends Page {
  readonly plugins: readonly PluginDocument[];
  /** How many match, on all pages; of a search at most 1,000. */
  readonly total: number;
}

/** The newest first; for a search, what matches best first. */
export async function listPlugins(models: ReadModels, scope: Scope, query: PluginQuery): Promise<PluginPage> {
  const { search } = query;
  const filters = filtersOf(query);
  // An empty search box asks for nothing in particular.
  if (search !== undefined && search.trim() !== '') {
    const { results, total } = await searchPlugins(models, scope, { ...query, words: search, filters });
    const { limit, offset } = query;
    return { plugins: results.map(({ plugin }) => plugin), total, limit, offset };
  }
  return pageOf(models, scope, { ...query, filters, sort: newestFirst });
}

export interface MarketplaceQuery extends Narrowed, Page {
  readonly featured?: boolean | undefined;
}

/** Plugins with a version that is not yanked (decisions 23): the featured ones first, then what most tenants run, then the newest. */
export async function browseMarketplace(
  models: ReadModels,
  scope: Scope,
  query: MarketplaceQuery,
): Promise<PluginPage> {
  const { featured } = query;
  const filters = [listed, ...filtersOf(query)];
  const sort = (['featured', 'installationCount', 'createdAt'] as const).map(
    (path) => ({ path, order: 'desc' }) as const,
  );
  if (featured === undefined) return pageOf(models, scope, { ...query, filters, sort });
  const chosen: Filter = { equal: ['featured', featured] };
  return pageOf(models, scope, { ...query, filters: [...filters, chosen], sort });
}

export interface SearchQuery extends Narrowed, Page {
  /** As a person types it. */
  readonly q: string;
}

export interface SearchPage {
  /** The best match first. */
  readonly results: readonly { readonly plugin: PluginDocument; readonly relevance: number }[];
  /** How many match, on all pages; at most 1,000. */
  readonly total: number;
}

/** Of what the marketplace shows. */
export function searchMarketplace(models: ReadModels, scope: Scope, query: SearchQuery): Promise<SearchPage> {
  return searchPlugins(models, scope, { ...query, words: query.q, filters: [listed, ...filtersOf(query)] });
}

/** Those that have a capability in their latest version, whichever version of it; the newest first. */
export function pluginsWithCapability(
  models: ReadModels,
  scope: Scope,
  query: Page & { readonly capabilityId: string },
): Promise<PluginPage> {
  const filters: readonly Filter[] = [{ contains: ['capabilityIds', query.capabilityId] }];
  return pageOf(models, scope, { ...query, filters, sort: newestFirst });
}

const newestFirst = [{ path: 'createdAt', order: 'desc' }] as const;
const listed: Filter = { equal: ['listing', 'Listed'] };

function filtersOf({ category, status, tags = [] }: Narrowed): readonly Filter[] {
  const filters: Filter[] = [...new Set(tags)].map((tag) => ({ contains: ['tags', tag] }));
  if (category !== undefined) filters.push({ equal: ['category', category] });
  if (status !== undefined) filters.push({ equal: ['status', status] });
  return filters;
}

function filterOf(filters: readonly Filter[]): { readonly filter?: Filter } {
  return filters.length === 0 ? {} : { filter: { and: filters } };
}

interface Asked extends Page {
  /** All of them hold. */
  readonly filters: readonly Filter[];
}

/** By what the read models answered: which is kept there, and here as long. */
const pages = new WeakMap<DocumentPage<PluginDocument>, PluginPage>();

async function pageOf(
  models: ReadModels,
  scope: Scope,
  { filters, sort, limit, offset }: Asked & Required<Pick<Query, 'sort'>>,
): Promise<PluginPage> {
  const asked = { scope, ...filterOf(filters) };
  const [total, found] = await Promise.all([
    models.count(plugins.name, asked),
    models.find<PluginDocument>(plugins.name, { ...asked, sort, limit, offset }),
  ]);
  const known = pages.get(found);
  if (known?.total === total) return known;
  const page = { plugins: found.documents.map(({ data }) => data), total, limit, offset };
  pages.set(found, page);
  return page;
}

async function searchPlugins(
  models: ReadModels,
  scope: Scope,
  { words: typed, filters, limit, offset }: Asked & { readonly words: string },
): Promise<SearchPage> {
  const words = searchWords(typed);
  if (words.length === 0) return { results: [], total: 0 };
  const asked = { scope, ...filterOf(filters), words, limit, offset };
  const { found, total } = await models.search<PluginDocument>(plugins.name, asked);
  const results = found.map(({ document, match }) => ({
    plugin: document.data,
    relevance: relevance(match, words.length),
  }));
  return { results, total };
}
