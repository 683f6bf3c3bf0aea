/** What must hold of plugins that are deleted while they are deployed, read from the log alone. */
import type { Json, RecordedEvent } from '../../src/ports/event-store.ts';

interface Held {
  readonly slot: string;
  readonly plugin: string;
  readonly from: number;
  to: number;
  recordedAt: number | null;
}

/**
 * @param events the whole log, in its order
 * @returns sentences
 */
export function deletionFaults(events: readonly RecordedEvent[]): readonly string[] {
  const held = new Map<string, Held>();
  const deletions: { readonly plugin: string; readonly at: number }[] = [];
  const marked = new Set<string>();
  const alive = new Set<string>();
  const faults: string[] = [];
  for (const [at, { stream, type, data }] of events.entries()) {
    const plugin = word(data['pluginId']) ?? word(data['plugin']) ?? stream.split('.').at(-1) ?? '';
    const id = word(data['deploymentId']) ?? word(data['ended']) ?? '';
    const holding = held.get(id);
    if (type === 'PluginRegistered') alive.add(plugin);
    if (type === 'PluginDeletionStarted') marked.add(plugin);
    if (type === 'PluginDeletionRefused' || type === 'PluginDeleted') marked.delete(plugin);
    if (type === 'PluginDeleted') {
      alive.delete(plugin);
      deletions.push({ plugin, at });
    }
    if (type === 'SlotClaimed')
      held.set(id, { slot: stream, plugin, from: at, to: Infinity, recordedAt: null });
    if (type === 'DeploymentRequested') {
      if (holding) holding.recordedAt = at;
      if (!alive.has(plugin)) faults.push(`${id} was recorded when there was no ${plugin}`);
    }
    if (holding && type === 'SlotReleased') holding.to = at;
    if (type === 'SlotTurned')
      for (const [other, of] of held)
        if (of.slot === stream && other !== data['current']) of.to = Math.min(of.to, at);
  }
  for (const [id, { slot, plugin, from, to, recordedAt }] of held) {
    if (recordedAt === null && to === Infinity) faults.push(`${slot} is held for ${id}, which was refused`);
    if (recordedAt === null) continue;
    for (const deletion of deletions)
      if (deletion.plugin === plugin && from < deletion.at && deletion.at < to)
        faults.push(`${plugin} was deleted while ${id} held ${slot}`);
  }
  for (const plugin of marked) faults.push(`${plugin} stays marked`);
  return faults;
}

function word(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
