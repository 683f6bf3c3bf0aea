import { stillToLookUp, type Candidate, type Candidates, type Dependency } from '../domain/dependencies.ts';
import type { PluginId } from '../domain/ids.ts';

/** No publisher's web of dependencies keeps a request busy for longer; what lies beyond counts as not known. */
const mostPlugins = 1_000;
const atOnce = 32;

/**
 * Looks up, transitively, what dependencies may be satisfied by.
 * @param lookUp what {@link Candidates} says: a plugin's versions that are not yanked, or the one that is current somewhere
 */
export async function lookUpRequired(
  pluginId: PluginId,
  dependencies: readonly Dependency[],
  lookUp: (pluginId: PluginId) => Promise<readonly Candidate[] | null>,
): Promise<Candidates> {
  const found = new Map<PluginId, readonly Candidate[] | null>();
  for (;;) {
    const next = stillToLookUp(pluginId, dependencies, found).slice(0, atOnce);
    if (next.length === 0 || found.size >= mostPlugins) return found;
    const candidates = await Promise.all(next.map(lookUp));
    for (const [index, id] of next.entries()) found.set(id, candidates[index] ?? null);
  }
}
