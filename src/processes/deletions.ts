/** Ends deletions of plugins that their requests left half done, so that a crash blocks no plugin for ever. */
import { type DeletePluginDeps, finishDeletion } from '../commands/delete-plugin.ts';
import { NotThereYet } from '../core/consistency.ts';
import type { ProcessManager } from '../core/process-runner.ts';
import { PluginId } from '../domain/ids.ts';
import { livePlugin, plugin } from '../domain/plugin.ts';

/** Milliseconds after which nobody is at it any more. */
const abandonedAfterMs = 30_000;

export function deletionProcess(
  deps: DeletePluginDeps & {
    /** Plugins that were marked at that time (wall milliseconds) or before, of a projection. */
    readonly begunBy: (atMs: number, limit: number) => Promise<readonly PluginId[]>;
  },
): ProcessManager {
  const abandoned = (limit: number): Promise<readonly PluginId[]> =>
    deps.begunBy(deps.clock.now() - abandonedAfterMs, limit);
  return {
    types: ['PluginDeletionStarted'],
    // Who marks a plugin goes on at once: only what is left lying is due.
    keysOf: () => [],
    inFlight: () => abandoned(1_000),
    due: (_nowMs, limit) => abandoned(Math.min(limit, 1_000)),
    handle: async (key, cause) => {
      const pluginId = PluginId.parse(key);
      const deletion = livePlugin((await deps.executor.load(plugin, pluginId)).state)?.deletion;
      if (!deletion || Date.parse(deletion.startedAt) > deps.clock.now() - abandonedAfterMs) return;
      const { deletionId } = deletion;
      try {
        await finishDeletion(deps, cause.command(`finish ${deletionId}`), { pluginId, deletionId });
      } catch (error) {
        // The read models lag: it stays due.
        if (!(error instanceof NotThereYet)) throw error;
      }
    },
  };
}
