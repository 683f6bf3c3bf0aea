/**
 * Deleting a plugin: mark it, look for live deployments as of the mark, then delete it or let it be. Who deploys reads the plugin
 * again after the claim on the slot: a claim before the mark is seen by who deletes, a claim after it sees the mark.
 */
import type { DeploymentId } from './ids.ts';
import { livePlugin, type PluginEvent, type PluginState } from './plugin.ts';
import { refuse, type Decision } from './refusal.ts';

/** A plugin that is marked already: no events; the deletion that is under way is joined. */
export function startDeletion(
  state: PluginState,
  { deletionId, at }: { readonly deletionId: string; readonly at: string },
): Decision<PluginEvent> {
  const plugin = livePlugin(state);
  if (!plugin) return refuse('NotFound', 'There is no such plugin');
  if (plugin.deletion) return [];
  const { pluginId } = plugin;
  return [{ type: 'PluginDeletionStarted', data: { pluginId, deletionId, startedAt: at } }];
}

/** Of a deletion that has ended already: no events. @param found.live deployments that were live as of the mark, and are */
export function endDeletion(
  state: PluginState,
  found: { readonly deletionId: string; readonly live: readonly DeploymentId[]; readonly at: string },
): Decision<PluginEvent> {
  const plugin = livePlugin(state);
  const { deletionId, live, at } = found;
  if (plugin?.deletion?.deletionId !== deletionId) return [];
  const { pluginId } = plugin;
  return live.length > 0
    ? [
        {
          type: 'PluginDeletionRefused',
          data: { pluginId, deletionId, deployments: [...live], refusedAt: at },
        },
      ]
    : [{ type: 'PluginDeleted', data: { pluginId, deletionId, deletedAt: at } }];
}
