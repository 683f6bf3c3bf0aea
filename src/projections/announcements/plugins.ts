/** What everybody is told of the plugins that there are. */
import type { z } from 'zod';
import { livePlugin, plugin, pluginEvents, type Plugin } from '../../domain/plugin.ts';
import type { JsonObject } from '../../ports/event-store.ts';
import { namesOf, type Telling, type Tellings } from './telling.ts';
import type { AnnouncementType } from './types.ts';

type Types = keyof typeof pluginEvents;
type Data<T extends Types> = z.output<(typeof pluginEvents)[T]['data']>;

/** @param say what more is said than how the plugin is called */
function tell<T extends Types>(
  type: AnnouncementType,
  say: (data: Data<T>, about: Plugin) => JsonObject,
): Telling {
  return async (event, { past }) => {
    const { before, after } = await past.around(plugin, event);
    // Of a plugin that was deleted only the state before it knows the names.
    const about = livePlugin(after) ?? livePlugin(before);
    if (!about) return [];
    const data = { ...namesOf(about), ...say(event.data as object as Data<T>, about) };
    return [{ type, tenant: about.ownerTenant, visibility: 'public', data }];
  };
}

const featured = tell<'PluginFeatured' | 'PluginUnfeatured'>('plugin:edited', (_data, about) => ({
  changes: ['featured'],
  featured: about.featured,
}));

export const pluginTellings: Tellings = {
  PluginRegistered: tell<'PluginRegistered'>('plugin:registered', (_data, about) => ({
    description: about.description,
    category: about.category,
    publisher: about.publisher,
    tags: about.tags,
  })),
  VersionPublished: tell<'VersionPublished'>('plugin:version:published', (version) => ({
    version: version.semanticVersion,
    versionId: version.versionId,
    state: version.state.toLowerCase(),
    releaseNotes: version.releaseNotes,
  })),
  VersionStateChanged: tell<'VersionStateChanged'>('plugin:version:changed', (version) => ({
    version: version.semanticVersion,
    state: version.state.toLowerCase(),
  })),
  PluginMetadataEdited: tell<'PluginMetadataEdited'>('plugin:edited', ({ changes }, about) => ({
    changes: Object.keys(changes),
    featured: about.featured,
  })),
  PluginFeatured: featured,
  PluginUnfeatured: featured,
  PluginDeleted: tell<'PluginDeleted'>('plugin:deleted', () => ({})),
};
