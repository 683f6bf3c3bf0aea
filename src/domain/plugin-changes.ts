/** What changes about a plugin while it lives: its metadata, the states of its versions, whether it is featured. */
import { findVersion, livePlugin, type PluginEvent, type PluginState } from './plugin.ts';
import { canonical, metadataChanges } from './plugin-data.ts';
import { changeable, forbidden, beingDeleted, type Publisher } from './publisher.ts';
import { isRefusal, refuse, type Decision } from './refusal.ts';
import type { MetadataEdit } from './registration.ts';
import type { VersionState } from './version.ts';

/**
 * Moves a version between its states, in any direction but out of Yanked: who was told that a version is withdrawn can rely on
 * it. Saying what is so already changes nothing.
 */
export function changeVersionState(
  known: PluginState,
  change: {
    readonly semanticVersion: string;
    readonly state: VersionState;
    readonly publisher: Publisher;
    readonly at: string;
  },
): Decision<PluginEvent> {
  const { semanticVersion, state } = change;
  const plugin = livePlugin(known);
  const version = findVersion(known, semanticVersion);
  if (!plugin || !version) return refuse('NotFound', `There is no version ${semanticVersion} of this plugin`);
  const refusal = forbidden(plugin, change.publisher) ?? beingDeleted(plugin);
  if (refusal) return refusal;
  if (version.state === state) return [];
  if (version.state === 'Yanked') {
    const message = `Version ${semanticVersion} was yanked, for good: publish another one`;
    return refuse('Conflict', message, { field: 'state', message });
  }
  const { pluginId } = plugin;
  return [{ type: 'VersionStateChanged', data: { pluginId, semanticVersion, state, changedAt: change.at } }];
}

/** What a field holds of which nothing is said any more; null where nothing else is named. */
const emptied: Readonly<Record<string, unknown>> = {
  tags: [],
  screenshots: [],
  compatibility: {},
  requirements: {},
  permissions: [],
};

/** Says something else of a plugin. What is so already changes nothing. */
export function editMetadata(
  state: PluginState,
  change: {
    readonly edit: MetadataEdit;
    /** `edit.author`, sealed for the owner; where it is what the plugin has already, the plugin's own sealed text. */
    readonly sealedAuthor: string | null;
    readonly publisher: Publisher;
    readonly at: string;
  },
): Decision<PluginEvent> {
  const plugin = changeable(state, change.publisher);
  if (isRefusal(plugin)) return plugin;
  const { author, ...rest } = change.edit;
  const wanted = { ...rest, ...(author === undefined ? {} : { author: change.sealedAuthor }) };
  const before: Readonly<Record<string, unknown>> = { ...plugin };
  const differing = Object.entries(wanted)
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => [field, value ?? emptied[field] ?? null] as const)
    .filter(([field, value]) => canonical(value) !== canonical(before[field]));
  if (differing.length === 0) return [];
  const changes = metadataChanges.parse(Object.fromEntries(differing));
  return [
    { type: 'PluginMetadataEdited', data: { pluginId: plugin.pluginId, changes, editedAt: change.at } },
  ];
}

/** Shows a plugin among the featured ones, or no longer. */
export function feature(
  state: PluginState,
  { featured, at }: { readonly featured: boolean; readonly at: string },
): Decision<PluginEvent> {
  const plugin = livePlugin(state);
  if (!plugin) return refuse('NotFound', 'There is no such plugin');
  if (plugin.featured === featured) return [];
  const { pluginId } = plugin;
  return featured
    ? [{ type: 'PluginFeatured', data: { pluginId, featuredAt: at } }]
    : [{ type: 'PluginUnfeatured', data: { pluginId, unfeaturedAt: at } }];
}
