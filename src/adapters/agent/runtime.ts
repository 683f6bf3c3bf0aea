/**
 * The runtime of instances that live elsewhere. It starts nothing and keeps nothing but the epochs that fence: what should run follows
 * from the log, where those look who answer agents, and this tells them when to look again.
 */
import type { SlotKey } from '../../domain/ids.ts';
import { type AgentRuntime, StaleEpoch } from '../../ports/runtime.ts';

export function openAgentRuntime(): AgentRuntime {
  const epochs = new Map<SlotKey, number>();
  const listeners = new Set<(slot: SlotKey) => void>();

  return {
    kind: 'agent',
    capabilities: { probedByPlatform: false, outlivesPlatform: true },
    ensure: async (slot, epoch, desired) => {
      const before = epochs.get(slot);
      if (before !== undefined && epoch < before)
        throw new StaleEpoch(`slot ${slot} is at epoch ${before}, this is ${epoch}`);
      // A slot of other runtimes alone is none of an agent's business.
      if (epoch === before || (before === undefined && desired.length === 0)) return;
      epochs.set(slot, epoch);
      for (const listener of [...listeners]) listener(slot);
    },
    stated: () => [...epochs.keys()],
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {
      epochs.clear();
      listeners.clear();
    },
  };
}
