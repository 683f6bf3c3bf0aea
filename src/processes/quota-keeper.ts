/**
 * Keeps a tenant's reservations to what has a place in its slots: the old deployment's goes when the slot has turned, an expired claim's
 * when the slot is released; what runs without one (a rollback starts what was released) gets one. A slot is its key.
 */
import type { Executor } from '../core/executor.ts';
import type { ProcessManager } from '../core/process-runner.ts';
import { deployment } from '../domain/deployment/deployment.ts';
import { involved } from '../domain/deployment/desired.ts';
import { deploymentEvents } from '../domain/deployment/events.ts';
import { parseSlotKey, slotKey, type DeploymentId, type Slot, type SlotKey } from '../domain/ids.ts';
import {
  askedOf,
  quota,
  quotaEvents,
  reservationsOf,
  settle,
  type AskedQuota,
  type Occupied,
} from '../domain/quota.ts';
import { slot, slotEvents } from '../domain/slot.ts';
import type { Clock } from '../ports/clock.ts';
import type { RecordedEvent } from '../ports/event-store.ts';

/** Asked of projections. */
export interface QuotaQuestions {
  /** Slots in which something runs, is in flight or is reserved for. */
  readonly slots: () => Promise<readonly SlotKey[]>;
}

export function quotaKeeper(deps: {
  readonly executor: Executor;
  readonly questions: QuotaQuestions;
  readonly clock: Pick<Clock, 'now'>;
}): ProcessManager {
  const { executor, questions, clock } = deps;

  /** Read after the tenant's reservations: whoever reserves has claimed the slot before. */
  async function occupied(key: SlotKey, reserved: readonly DeploymentId[]): Promise<Occupied> {
    const { state } = await executor.load(slot, key);
    const next = state.successor ? [state.successor.deploymentId] : [];
    const holders = [...involved(state), ...next];
    const asked = [...new Set([...holders, ...reserved])].map(async (id) => recorded(key, id, state.fence));
    return { slot: key, holders, recorded: (await Promise.all(asked)).filter((one) => one !== null) };
  }

  async function recorded(key: SlotKey, id: DeploymentId, fence: number): Promise<AskedQuota | null> {
    const { state } = await executor.load(deployment, id);
    if (state.phase === 'None' || state.phase === 'Refused') return null;
    const { plugin, reserves, totalInstances } = state.request;
    return { deploymentId: id, slot: key, fence, plugin, ...askedOf(reserves, totalInstances) };
  }

  return {
    types: [...Object.keys(slotEvents), ...Object.keys(quotaEvents), 'DeploymentRequested'],
    keysOf: (event) => [slotOf(event)],
    inFlight: () => questions.slots(),
    due: async () => [],
    handle: async (key, cause) => {
      const slotParts = parts(key);
      const { tenant } = slotParts;
      const place = slotKey(slotParts);
      const { state: seen, revision } = await executor.load(quota, tenant);
      const ids = reservationsOf(seen, place).map(({ deploymentId }) => deploymentId);
      const now = await occupied(place, ids);
      if (settle(seen, seen, now, clock.now()).length === 0) return;
      await executor.execute({
        ...{ aggregate: quota, id: tenant, tenant, context: cause.command(`settle @${revision}`) },
        decide: (state) => settle(state, seen, now, clock.now()),
      });
    },
  };
}

function slotOf({ type, stream, data }: RecordedEvent): SlotKey {
  switch (type) {
    case 'DeploymentRequested':
      return slotKey(deploymentEvents.DeploymentRequested.data.parse(data));
    case 'QuotaReserved':
      return quotaEvents.QuotaReserved.data.parse(data).slot;
    case 'QuotaReleased':
      return quotaEvents.QuotaReleased.data.parse(data).slot;
    default:
      return slotKey(parts(stream.slice('slot-'.length)));
  }
}

function parts(text: string): Slot {
  const found = parseSlotKey(text);
  if (!found) throw new Error(`${text} is no slot`);
  return found;
}
