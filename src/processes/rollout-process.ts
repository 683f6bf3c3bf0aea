/** The rollout process as the runner knows it: which events wake which slot, what is in flight, what is due. */
import type { ProcessManager } from '../core/process-runner.ts';
import { deploymentEvents } from '../domain/deployment/events.ts';
import { freezeEvents } from '../domain/freeze.ts';
import { type DeploymentId, type Slot, type SlotKey, slotKey } from '../domain/ids.ts';
import { slotEvents } from '../domain/slot.ts';
import type { Clock } from '../ports/clock.ts';
import type { Rollouts } from './rollouts.ts';
import type { Witness } from './witness.ts';

/** Asked of projections. */
export interface RolloutQuestions {
  /** Slots in which something runs or is in flight. */
  readonly occupied: () => Promise<readonly SlotKey[]>;
  readonly open: () => Promise<
    readonly { readonly slot: Slot; readonly deploymentId: DeploymentId; readonly correlationId: string }[]
  >;
  /** Slots of which an event said that they are to be asked again by now, the longest due first; see dueSlots. */
  readonly due: (
    span: { readonly after: string | null; readonly nowMs: number },
    limit: number,
  ) => Promise<readonly { readonly key: SlotKey; readonly dueAt: string }[]>;
  /** Slots with a claim that has expired, the oldest first. */
  readonly dueClaims: (nowMs: number, limit: number) => Promise<readonly SlotKey[]>;
}

export function rolloutProcess(deps: {
  readonly rollouts: Rollouts;
  readonly witness: Witness;
  readonly questions: RolloutQuestions;
  readonly clock: Clock;
  /** Ends what goes on beside it. */
  readonly end: () => Promise<void>;
}): ProcessManager {
  const { rollouts, witness, questions, clock, end } = deps;
  /** Slots to be asked again, by monotonic milliseconds: silence and earned time are no events. Lost with the process, as it is woken anew. */
  const askAgainAt = new Map<SlotKey, number>();
  /** Where the sweep over what events said goes on: what is overdue stays so until its next event, and must not crowd out the rest. */
  let sweptUpTo: string | null = null;

  async function sweep(nowMs: number, limit: number): Promise<readonly SlotKey[]> {
    const found = await questions.due({ after: sweptUpTo, nowMs }, limit);
    const last = found.at(-1)?.dueAt;
    // Of the last moment there may be more: it is read again, unless it is all there was.
    const whole = found.findLast(({ dueAt }) => dueAt !== last)?.dueAt ?? last;
    sweptUpTo = found.length < limit || whole === undefined ? null : whole;
    return found.map(({ key }) => key);
  }

  return {
    types: [
      ...Object.keys(freezeEvents),
      ...Object.keys(slotEvents),
      ...Object.keys(deploymentEvents),
      'InstanceHealthObserved',
    ],
    keysOf: (event) => witness.see(event),
    inFlight: async () => {
      const open = await questions.open();
      for (const { slot, deploymentId, correlationId } of open)
        witness.remember(slot, deploymentId, correlationId);
      return [...new Set([...(await questions.occupied()), ...open.map(({ slot }) => slotKey(slot))])];
    },
    due: async (nowMs, limit) => {
      const monotonic = clock.monotonic();
      // Each source has its share, whatever the other holds.
      const share = Math.max(1, Math.floor(Math.min(limit, 1_000) / 4));
      const recorded = [...(await questions.dueClaims(nowMs, share)), ...(await sweep(nowMs, share))];
      const asked = [...askAgainAt].filter(([, at]) => at <= monotonic).sort(([, a], [, b]) => a - b);
      return [...new Set([...recorded, ...asked.map(([key]) => key)])].slice(0, limit);
    },
    handle: async (key) => {
      const slot = key as SlotKey;
      const dueInMs = await rollouts.handle(slot);
      if (dueInMs === null) askAgainAt.delete(slot);
      else askAgainAt.set(slot, clock.monotonic() + dueInMs);
    },
    end,
  };
}
