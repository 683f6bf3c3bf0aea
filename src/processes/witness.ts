/**
 * What the rollout process saw go by: the evidence of deployments in flight and when it was received, which deployments are open in
 * a slot, and the correlation each began with. It lives in memory; what is asked of it and was not seen is read from the log.
 */
import type { Executor } from '../core/executor.ts';
import { type Evidence, foldReports } from '../domain/deployment/evidence.ts';
import { deploymentEvents } from '../domain/deployment/events.ts';
import { freezeEvents } from '../domain/freeze.ts';
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
  correlationOf(id: DeploymentId): string;
  /** Grows with every deployment that is opened in a slot: the same twice means that none was. */
  news(key: SlotKey): number;
  /**
   * The deployment has ended; nothing happens when the slot has had news since, for that may be a deployment's second flight.
   * @param seen.stillWatched whether its evidence is needed by another in flight
   * @param seen.asOf the slot's news before it was found to have ended
   */
  close(
    key: SlotKey,
    id: DeploymentId,
    seen: { readonly stillWatched: boolean; readonly asOf: number },
  ): void;
}

interface Seen {
  news: number;
  /** Deployments that may still move, and the correlation that each began with. */
  readonly open: Map<DeploymentId, string>;
}

/** Evidence on its way from the log. */
interface Reading {
  readonly evidence: Promise<Evidence>;
  /** Adds what arrived meanwhile, which the log may not have held yet. */
  readonly meanwhile: ((evidence: Evidence) => Evidence)[];
}

export function createWitness(deps: { readonly executor: Executor; readonly clock: Clock }): Witness {
  const evidence = new Map<DeploymentId, Evidence>();
  const readings = new Map<DeploymentId, Reading>();
  const slots = new Map<SlotKey, Seen>();
  const keys = new Map<DeploymentId, SlotKey>();
  let opened = 0;

  function open(key: SlotKey, id: DeploymentId, correlationId: string): void {
    const seen = slots.get(key) ?? { open: new Map(), news: 0 };
    seen.news = opened += 1;
    slots.set(key, seen);
    seen.open.set(id, correlationId);
    keys.set(id, key);
  }

  function remember(slot: Slot, id: DeploymentId, correlationId: string): SlotKey {
    const key = slotKey(slot);
    open(key, id, correlationId);
    return key;
  }

  function see(event: RecordedEvent): readonly SlotKey[] {
    // It concerns whatever may still move.
    if (event.type in freezeEvents) return [...slots.keys()];
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
      const reading = readings.get(id);
      // Of a deployment that nobody decides on: the read models show it, this process has nothing to do.
      if (!known && !reading) return [];
      const observed = healthEvents.InstanceHealthObserved.data.parse(event.data);
      const at = deps.clock.monotonic();
      if (known) evidence.set(id, foldReports(known, observed, at));
      else reading?.meanwhile.push((read) => foldReports(read, observed, at));
      return [slotKey(observed)];
    }
    const key = keys.get(event.stream.slice('deployment-'.length) as DeploymentId);
    return key ? [key] : [];
  }

  function read(id: DeploymentId): Promise<Evidence> {
    const meanwhile: Reading['meanwhile'] = [];
    const load = async (): Promise<Evidence> => {
      try {
        const { state } = await deps.executor.load(health, id);
        const whole = meanwhile.reduce<Evidence>((known, add) => add(known), state);
        evidence.set(id, whole);
        return whole;
      } finally {
        readings.delete(id);
      }
    };
    const reading = { evidence: load(), meanwhile };
    readings.set(id, reading);
    return reading.evidence;
  }

  return {
    see,
    remember,
    evidenceOf: async (id) => evidence.get(id) ?? (await (readings.get(id)?.evidence ?? read(id))),
    openIn: (key) => [...(slots.get(key)?.open.keys() ?? [])],
    correlationOf: (id) => {
      const key = keys.get(id);
      return (key && slots.get(key)?.open.get(id)) ?? id;
    },
    news: (key) => slots.get(key)?.news ?? 0,
    close: (key, id, { stillWatched, asOf }) => {
      const seen = slots.get(key);
      if (seen && seen.news !== asOf) return;
      keys.delete(id);
      seen?.open.delete(id);
      if (stillWatched) return;
      evidence.delete(id);
      if (seen?.open.size === 0) slots.delete(key);
    },
  };
}
