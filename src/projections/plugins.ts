/** Plugins and their versions as every role of every tenant may read them (decisions 6). */
import type { z } from 'zod';
import type { Collection, Documents, Projection } from '../core/projection.ts';
import { rank, searchWords } from '../core/search.ts';
import { PluginId } from '../domain/ids.ts';
import { pluginEvents, pluginStatus, type PluginStatus, type PublishedVersion } from '../domain/plugin.ts';
import { withChanges } from '../domain/plugin-data.ts';
import { Author } from '../domain/registration.ts';
import { slotEvents } from '../domain/slot.ts';
import { byVersionDescending, latestVersion, type VersionState } from '../domain/version.ts';
import type { Filter, ReadModels, Scope } from '../ports/read-models.ts';
import type { Vault } from '../ports/vault.ts';
import { on, slotOfEvent } from './event-data.ts';
import { install, type Installation } from './installations.ts';

type Registered = z.output<typeof pluginEvents.PluginRegistered.data>;

/** One plugin, by its slug. `author` is sealed: {@link getPlugin} opens it. */
export interface PluginDocument extends Omit<Registered, 'registeredAt'> {
  readonly status: PluginStatus;
  /** It has had a Stable version or a completed deployment. */
  readonly active: boolean;
  readonly latestVersion: string | null;
  /** The highest first. */
  readonly versions: readonly VersionSummary[];
  /** Those of the latest version. */
  readonly capabilities: PublishedVersion['capabilities'];
  /** In how many tenants the plugin is current, in whichever of their environments. */
  readonly installationCount: number;
  /** Null until someone has rated it. */
  readonly averageRating: number | null;
  /** The marketplace shows it among the featured ones. */
  readonly featured: boolean;
  /** Since when it is found out whether it can be deleted; null: nobody wants to delete it. */
  readonly deletionStartedAt: string | null;
  /** ISO 8601, as are all times here. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A plugin for its readers. */
export interface PluginDetails extends Omit<PluginDocument, 'author'> {
  readonly author: Author | null;
}

export interface VersionSummary {
  readonly versionId: string;
  readonly semanticVersion: string;
  readonly state: VersionState;
  readonly createdAt: string;
}

/** One version, by `{pluginId}@{semanticVersion}`. */
export interface PluginVersionDocument extends Omit<PublishedVersion, 'publishedAt'> {
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** Where a search looks, and what a word found there is worth. */
const searched = [
  { path: 'name', weight: 3 },
  { path: 'description', weight: 1 },
];

export const plugins: Collection<PluginDocument> = {
  name: 'plugins',
  visibility: 'public',
  indexes: [
    { fields: ['createdAt'] },
    { fields: ['category', 'createdAt'] },
    { fields: ['category', 'status', 'createdAt'] },
    { fields: ['status', 'createdAt'] },
    { fields: ['tags'], multi: true },
    { fields: ['id'] },
    { fields: ['packageName'] },
    { fields: ['deletionStartedAt'] },
  ],
  text: searched.map(({ path }) => path),
};

export const pluginVersions: Collection<PluginVersionDocument> = {
  name: 'plugin_versions',
  visibility: 'public',
  indexes: [],
  text: [],
};

const installations: Collection<Installation> = {
  name: 'installations',
  visibility: 'tenant',
  indexes: [],
  text: [],
};

export const pluginsProjection: Projection = {
  name: 'plugins',
  version: 2,
  collections: [plugins, pluginVersions, installations],
  on: {
    PluginRegistered: on(pluginEvents.PluginRegistered, ({ registeredAt, ...metadata }, documents) => {
      documents.put(plugins, metadata.pluginId, metadata.ownerTenant, {
        ...metadata,
        status: 'Registered',
        active: false,
        latestVersion: null,
        versions: [],
        capabilities: [],
        installationCount: 0,
        averageRating: null,
        featured: false,
        deletionStartedAt: null,
        createdAt: registeredAt,
        updatedAt: registeredAt,
      });
    }),
    VersionPublished: on(pluginEvents.VersionPublished, async ({ publishedAt, ...version }, documents) => {
      const found = await documents.get(plugins, version.pluginId);
      if (!found) throw new Error(`no plugin ${version.pluginId}`);
      const { pluginId, semanticVersion, versionId, state } = version;
      documents.put(pluginVersions, versionKey(pluginId, semanticVersion), found.ownerTenant, {
        ...version,
        createdAt: publishedAt,
        updatedAt: publishedAt,
      });
      const versions = [...found.versions, { versionId, semanticVersion, state, createdAt: publishedAt }];
      await putPlugin(documents, { ...found, versions, updatedAt: publishedAt });
    }),
    VersionStateChanged: on(pluginEvents.VersionStateChanged, async (changed, documents) => {
      const { pluginId, semanticVersion, state, changedAt: updatedAt } = changed;
      const found = await documents.get(plugins, pluginId);
      const key = versionKey(pluginId, semanticVersion);
      const version = await documents.get(pluginVersions, key);
      if (!found || !version) throw new Error(`no plugin ${pluginId} with a version ${semanticVersion}`);
      documents.put(pluginVersions, key, found.ownerTenant, { ...version, state, updatedAt });
      const versions = found.versions.map((summary) =>
        summary.semanticVersion === semanticVersion ? { ...summary, state } : summary,
      );
      await putPlugin(documents, { ...found, versions, updatedAt });
    }),
    PluginMetadataEdited: on(
      pluginEvents.PluginMetadataEdited,
      ({ pluginId, changes, editedAt: updatedAt }, documents) =>
        change(documents, pluginId, (found) => ({ ...withChanges(found, changes), updatedAt })),
    ),
    PluginFeatured: on(pluginEvents.PluginFeatured, ({ pluginId }, documents) =>
      change(documents, pluginId, (found) => ({ ...found, featured: true })),
    ),
    PluginUnfeatured: on(pluginEvents.PluginUnfeatured, ({ pluginId }, documents) =>
      change(documents, pluginId, (found) => ({ ...found, featured: false })),
    ),
    PluginDeletionStarted: on(
      pluginEvents.PluginDeletionStarted,
      ({ pluginId, startedAt: deletionStartedAt }, documents) =>
        change(documents, pluginId, (found) => ({ ...found, deletionStartedAt })),
    ),
    PluginDeletionRefused: on(pluginEvents.PluginDeletionRefused, ({ pluginId }, documents) =>
      change(documents, pluginId, (found) => ({ ...found, deletionStartedAt: null })),
    ),
    PluginDeleted: on(pluginEvents.PluginDeleted, async ({ pluginId }, documents) => {
      const versions = (await documents.get(plugins, pluginId))?.versions ?? [];
      for (const { semanticVersion } of versions)
        documents.delete(pluginVersions, versionKey(pluginId, semanticVersion));
      documents.delete(plugins, pluginId);
    }),
    SlotTurned: on(slotEvents.SlotTurned, async ({ current, outcome }, documents, event) => {
      const slot = slotOfEvent(event);
      const change = await install(documents, installations, slot, current !== null);
      const found = await documents.get(plugins, slot.plugin);
      // Nobody reads the count of a plugin that is not there.
      if (!found) return;
      const installationCount = found.installationCount + change;
      const active = found.active || outcome === 'Completed';
      if (change !== 0 || active !== found.active)
        await putPlugin(documents, { ...found, installationCount, active });
    }),
  },
};

/** Stores a plugin with something about it changed that nothing else follows from. */
async function change(
  documents: Documents,
  pluginId: PluginId,
  changed: (found: PluginDocument) => PluginDocument,
): Promise<void> {
  const found = await documents.get(plugins, pluginId);
  if (!found) throw new Error(`no plugin ${pluginId}`);
  documents.put(plugins, pluginId, found.ownerTenant, changed(found));
}

/** Stores a plugin with what follows from its versions. */
async function putPlugin(documents: Documents, plugin: PluginDocument): Promise<void> {
  const versions = [...plugin.versions].sort(byVersionDescending);
  const active = plugin.active || versions.some(({ state }) => state === 'Stable');
  const latest = latestVersion(versions);
  const latestDocument =
    latest === null ? null : await documents.get(pluginVersions, versionKey(plugin.pluginId, latest));
  documents.put(plugins, plugin.pluginId, plugin.ownerTenant, {
    ...plugin,
    versions,
    active,
    status: pluginStatus(versions, active),
    latestVersion: latest,
    capabilities: latestDocument?.capabilities ?? [],
  });
}

function versionKey(pluginId: string, semanticVersion: string): string {
  return `${pluginId}@${semanticVersion}`;
}

/** Nobody pages through more results of a search than these. */
const mostCandidates = 1_000;

export interface PluginQuery {
  readonly category?: string | undefined;
  readonly status?: PluginStatus | undefined;
  /** Words of the name or description, as a person types them. */
  readonly search?: string | undefined;
  /** All of them (decisions 17). */
  readonly tags?: readonly string[] | undefined;
  /** 1..100. */
  readonly limit: number;
  readonly offset: number;
}

export interface PluginPage {
  readonly plugins: readonly PluginDocument[];
  /** How many match, on all pages. */
  readonly total: number;
}

/** The newest first; for a search, what matches best first. */
export async function listPlugins(models: ReadModels, scope: Scope, query: PluginQuery): Promise<PluginPage> {
  const { search, limit, offset } = query;
  const asked = { scope, ...filterOf(query) };
  // An empty search box asks for nothing in particular.
  if (search !== undefined && search.trim() !== '') {
    const words = searchWords(search);
    const candidates =
      words.length === 0
        ? []
        : await models.search<PluginDocument>(plugins.name, { ...asked, words, limit: mostCandidates });
    const ranked = rank(search, candidates, searched);
    return {
      plugins: ranked.slice(offset, offset + limit).map(({ document }) => document.data),
      total: ranked.length,
    };
  }
  const sort = [{ path: 'createdAt', order: 'desc' }] as const;
  const [total, { documents }] = await Promise.all([
    models.count(plugins.name, asked),
    models.find<PluginDocument>(plugins.name, { ...asked, sort, limit, offset }),
  ]);
  return { plugins: documents.map(({ data }) => data), total };
}

function filterOf({ category, status, tags = [] }: PluginQuery): { readonly filter?: Filter } {
  const and: Filter[] = tags.map((tag) => ({ contains: ['tags', tag] }));
  if (category !== undefined) and.push({ equal: ['category', category] });
  if (status !== undefined) and.push({ equal: ['status', status] });
  return and.length === 0 ? {} : { filter: { and } };
}

/** Plugins that were marked for deletion at that time or before, the oldest first. @param limit 1..1,000 */
export async function deletionsSince(
  models: ReadModels,
  atMs: number,
  limit: number,
): Promise<readonly PluginId[]> {
  const page = await models.find<PluginDocument>(plugins.name, {
    scope: { kind: 'platform' },
    filter: { range: ['deletionStartedAt', { lte: new Date(atMs).toISOString() }] },
    sort: [{ path: 'deletionStartedAt', order: 'asc' }],
    limit,
  });
  return page.documents.map(({ data }) => PluginId.parse(data.pluginId));
}

/** Null when there is none. Its author is null as well once the owner has been forgotten. */
export async function getPlugin(
  { models, vault }: { readonly models: ReadModels; readonly vault: Pick<Vault, 'openFor'> },
  scope: Scope,
  pluginId: PluginId,
): Promise<PluginDetails | null> {
  const found = await models.get<PluginDocument>(plugins.name, pluginId, scope);
  if (!found) return null;
  const { author, ownerTenant } = found.data;
  const opened = author === null ? null : await vault.openFor(`tenant:${ownerTenant}`, author);
  return { ...found.data, author: opened === null ? null : Author.parse(JSON.parse(opened)) };
}

/** Null when there is no such plugin or version. */
export async function getPluginVersion(
  models: ReadModels,
  scope: Scope,
  pluginId: PluginId,
  semanticVersion: string,
): Promise<PluginVersionDocument | null> {
  const key = versionKey(pluginId, semanticVersion);
  return (await models.get<PluginVersionDocument>(pluginVersions.name, key, scope))?.data ?? null;
}
