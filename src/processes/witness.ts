/**
 * What the rollout process saw go by: the evidence of deployments in flight and when it was received, which deployments are open in
 * a slot, and the correlation each began with. It lives in memory; what is asked of it and was not seen is read from the log.
 */
import type { Executor } from '../core/executor.ts';
import { type Evidence, foldReports } from '../domain/deployment/evidence.ts';
import { deploymentEvents } from '../domain/deployment/events.ts';
import { health, healthEvents } from '../domain/health.ts';
import { DeploymentId, type Slot, type SlotKey, slotKey } from '../domain/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { RecordedEvent } from '../ports/event-store.ts';

export interface Witness {
  /** Takes note of an event. @returns the slots that it concerns */
  see(event: RecordedEvent): readonly SlotKey[];
  /** Takes note of a deployment that was open before this process began. */
  remember(slot: Slot, id: DeploymentId, correlationId: string): void;
  evidenceOf(id: DeploymentId): Promise<Evidence>;
  openIn(key: SlotKey): readonly DeploymentId[];
  slotOf(key: SlotKey): Slot | null;
  correlationOf(id: DeploymentId): string;
  /** The deployment has ended. @param stillWatched whether its evidence is needed by another in flight */
  close(key: SlotKey, id: DeploymentId, stillWatched: boolean): void;
}

interface Seen {
  /** Null until one of its deployments tells its parts. */
  slot: Slot | null;
  /** Deployments that may still move, and the correlation that each began with. */
  readonly open: Map<DeploymentId, string>;
}

export function createWitness(deps: { readonly executor: Executor; readonly clock: Clock }): Witness {
  const evidence = new Map<DeploymentId, Evidence>();
  const slots = new Map<SlotKey, Seen>();
  const keys = new Map<DeploymentId, SlotKey>();

  function open(key: SlotKey, id: DeploymentId, correlationId: string): Seen {
    const seen = slots.get(key) ?? { slot: null, open: new Map() };
    slots.set(key, seen);
    seen.open.set(id, correlationId);
    keys.set(id, key);
    return seen;
  }

  function remember(slot: Slot, id: DeploymentId, correlationId: string): SlotKey {
    const key = slotKey(slot);
    open(key, id, correlationId).slot = slot;
    return key;
  }

  function see(event: RecordedEvent): readonly SlotKey[] {
    if (event.stream.startsWith('slot-')) {
      const key = event.stream.slice('slot-'.length) as SlotKey;
      const claimed = DeploymentId.safeParse(event.data['deploymentId']);
      if (claimed.success && event.type !== 'SlotReleased')
        open(key, claimed.data, event.metadata.correlationId);
      return [key];
    }
    if (event.type === 'DeploymentRequested') {
      const { tenant, environment, plugin, deploymentId } = deploymentEvents.DeploymentRequested.data.parse(
        event.data,
      );
      return [remember({ tenant, environment, plugin }, deploymentId, event.metadata.correlationId)];
    }
    if (event.type === 'InstanceHealthObserved') {
      const id = DeploymentId.parse(event.data['deploymentId']);
      const known = evidence.get(id);
      // Of a deployment that nobody decides on: the read models show it, this process has nothing to do.
      if (!known) return [];
      const observed = healthEvents.InstanceHealthObserved.data.parse(event.data);
      evidence.set(id, foldReports(known, observed, deps.clock.monotonic()));
      return [slotKey(observed)];
    }
    const key = keys.get(event.stream.slice('deployment-'.length) as DeploymentId);
    return key ? [key] : [];
  }

  return {
    see,
    remember,
    evidenceOf: async (id) => {
      const known = evidence.get(id);
      if (known) return known;
      const { state } = await deps.executor.load(health, id);
      evidence.set(id, state);
      return state;
    },
    openIn: (key) => [...(slots.get(key)?.open.keys() ?? [])],
    slotOf: (key) => slots.get(key)?.slot ?? null,
    correlationOf: (id) => {
      const key = keys.get(id);
      return (key && slots.get(key)?.open.get(id)) ?? id;
    },
    close: (key, id, stillWatched) => {
      keys.delete(id);
      const seen = slots.get(key);
      seen?.open.delete(id);
      if (stillWatched) return;
      evidence.delete(id);
      if (seen?.open.size === 0) slots.delete(key);
    },
  };
}
