/** Plugins and their versions as every role of every tenant may read them (decisions 6). */
import type { z } from 'zod';
import type { Collection, Documents, Projection } from '../core/projection.ts';
import { PluginId } from '../domain/ids.ts';
import { pluginEvents, pluginStatus, type PluginStatus, type PublishedVersion } from '../domain/plugin.ts';
import { withChanges } from '../domain/plugin-data.ts';
import { Author } from '../domain/registration.ts';
import { slotEvents } from '../domain/slot.ts';
import { byVersionDescending, latestVersion, type VersionState } from '../domain/version.ts';
import type { RecordedEvent } from '../ports/event-store.ts';
import type { ReadModels, Scope } from '../ports/read-models.ts';
import type { Vault } from '../ports/vault.ts';
import { capabilities, countCapabilities } from './capabilities.ts';
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
  /** Their ids, each once. */
  readonly capabilityIds: readonly string[];
  /** In how many tenants the plugin is current, in whichever of their environments. */
  readonly installationCount: number;
  /** Null until someone has rated it. */
  readonly averageRating: number | null;
  /** The marketplace shows what has a version that is not yanked (decisions 23). */
  readonly listing: 'Listed' | 'Unlisted';
  /** The marketplace shows it among the featured ones. */
  readonly featured: boolean;
  /** Since when it is found out whether it can be deleted; null: nobody wants to delete it. */
  readonly deletionStartedAt: string | null;
  /** Of the plugin's stream, as far as it is told here. */
  readonly revision: number;
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
  /** How often its state has changed. */
  readonly changes: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export const plugins: Collection<PluginDocument> = {
  name: 'plugins',
  visibility: 'public',
  indexes: [
    { fields: ['createdAt'] },
    { fields: ['category', 'createdAt'] },
    { fields: ['category', 'status', 'createdAt'] },
    { fields: ['status', 'createdAt'] },
    { fields: ['listing', 'featured', 'installationCount', 'createdAt'], covers: ['featured', 'status'] },
    {
      fields: ['category', 'listing', 'featured', 'installationCount', 'createdAt'],
      covers: ['featured', 'status'],
    },
    { fields: ['capabilityIds'], multi: true },
    { fields: ['tags'], multi: true },
    { fields: ['id'] },
    { fields: ['packageName'] },
    { fields: ['deletionStartedAt'] },
  ],
  text: ['name', 'description'],
  textFilters: ['category', 'status', 'tags', 'listing'],
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
  version: 4,
  collections: [plugins, pluginVersions, installations, capabilities],
  on: {
    PluginRegistered: on(pluginEvents.PluginRegistered, (registered, documents, { revision }) => {
      const { registeredAt, ...metadata } = registered;
      documents.put(plugins, metadata.pluginId, metadata.ownerTenant, {
        ...metadata,
        status: 'Registered',
        active: false,
        latestVersion: null,
        versions: [],
        capabilities: [],
        capabilityIds: [],
        installationCount: 0,
        averageRating: null,
        listing: 'Unlisted',
        featured: false,
        deletionStartedAt: null,
        revision,
        createdAt: registeredAt,
        updatedAt: registeredAt,
      });
    }),
    VersionPublished: on(pluginEvents.VersionPublished, async (published, documents, { revision }) => {
      const { publishedAt, ...version } = published;
      const found = await documents.get(plugins, version.pluginId);
      if (!found) throw new Error(`no plugin ${version.pluginId}`);
      const { pluginId, semanticVersion, versionId, state } = version;
      documents.put(pluginVersions, versionKey(pluginId, semanticVersion), found.ownerTenant, {
        ...version,
        changes: 0,
        createdAt: publishedAt,
        updatedAt: publishedAt,
      });
      const versions = [...found.versions, { versionId, semanticVersion, state, createdAt: publishedAt }];
      await putPlugin(documents, { ...found, versions, revision, updatedAt: publishedAt });
    }),
    VersionStateChanged: on(pluginEvents.VersionStateChanged, async (changed, documents, { revision }) => {
      const { pluginId, semanticVersion, state, changedAt: updatedAt } = changed;
      const found = await documents.get(plugins, pluginId);
      const key = versionKey(pluginId, semanticVersion);
      const version = await documents.get(pluginVersions, key);
      if (!found || !version) throw new Error(`no plugin ${pluginId} with a version ${semanticVersion}`);
      const changes = version.changes + 1;
      documents.put(pluginVersions, key, found.ownerTenant, { ...version, state, changes, updatedAt });
      const versions = found.versions.map((summary) =>
        summary.semanticVersion === semanticVersion ? { ...summary, state } : summary,
      );
      await putPlugin(documents, { ...found, versions, revision, updatedAt });
    }),
    PluginMetadataEdited: on(
      pluginEvents.PluginMetadataEdited,
      ({ pluginId, changes, editedAt: updatedAt }, ...rest) =>
        change(pluginId, (found) => ({ ...withChanges(found, changes), updatedAt }), ...rest),
    ),
    PluginFeatured: on(pluginEvents.PluginFeatured, ({ pluginId }, ...rest) =>
      change(pluginId, (found) => ({ ...found, featured: true }), ...rest),
    ),
    PluginUnfeatured: on(pluginEvents.PluginUnfeatured, ({ pluginId }, ...rest) =>
      change(pluginId, (found) => ({ ...found, featured: false }), ...rest),
    ),
    PluginDeletionStarted: on(
      pluginEvents.PluginDeletionStarted,
      ({ pluginId, startedAt: deletionStartedAt }, ...rest) =>
        change(pluginId, (found) => ({ ...found, deletionStartedAt }), ...rest),
    ),
    PluginDeletionRefused: on(pluginEvents.PluginDeletionRefused, ({ pluginId }, ...rest) =>
      change(pluginId, (found) => ({ ...found, deletionStartedAt: null }), ...rest),
    ),
    PluginDeleted: on(pluginEvents.PluginDeleted, async ({ pluginId }, documents) => {
      const found = await documents.get(plugins, pluginId);
      if (!found) throw new Error(`no plugin ${pluginId}`);
      for (const { semanticVersion } of found.versions)
        documents.delete(pluginVersions, versionKey(pluginId, semanticVersion));
      await countCapabilities(documents, pluginId, found.capabilities, []);
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
  pluginId: PluginId,
  changed: (found: PluginDocument) => PluginDocument,
  documents: Documents,
  { revision }: RecordedEvent,
): Promise<void> {
  const found = await documents.get(plugins, pluginId);
  if (!found) throw new Error(`no plugin ${pluginId}`);
  documents.put(plugins, pluginId, found.ownerTenant, { ...changed(found), revision });
}

/** Stores a plugin with what follows from its versions. @param plugin its `capabilities` are those stored so far */
async function putPlugin(documents: Documents, plugin: PluginDocument): Promise<void> {
  const versions = [...plugin.versions].sort(byVersionDescending);
  const active = plugin.active || versions.some(({ state }) => state === 'Stable');
  const latest = latestVersion(versions);
  const latestDocument =
    latest === null ? null : await documents.get(pluginVersions, versionKey(plugin.pluginId, latest));
  const offered = latestDocument?.capabilities ?? [];
  await countCapabilities(documents, plugin.pluginId, plugin.capabilities, offered);
  documents.put(plugins, plugin.pluginId, plugin.ownerTenant, {
    ...plugin,
    versions,
    active,
    status: pluginStatus(versions, active),
    latestVersion: latest,
    listing: latest === null ? 'Unlisted' : 'Listed',
    capabilities: offered,
    capabilityIds: [...new Set(offered.map(({ capabilityId }) => capabilityId))],
  });
}

function versionKey(pluginId: string, semanticVersion: string): string {
  return `${pluginId}@${semanticVersion}`;
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
  // Not a copy of it: while the same document is asked for, what was made of it can be told to be the same.
  if (namesNoAuthor(found.data)) return found.data;
  const { author, ownerTenant } = found.data;
  const opened = author === null ? null : await vault.openFor(`tenant:${ownerTenant}`, author);
  return { ...found.data, author: opened === null ? null : Author.parse(JSON.parse(opened)) };
}

function namesNoAuthor(plugin: PluginDocument): plugin is PluginDocument & { readonly author: null } {
  return plugin.author === null;
}

/** Whether it has had a Stable version or a completed deployment; false when there is none. */
export async function isActive(models: ReadModels, pluginId: PluginId): Promise<boolean> {
  const found = await models.get<PluginDocument>(plugins.name, pluginId, { kind: 'platform' });
  return found?.data.active ?? false;
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
