/** The platform's rollouts stand still, or not: no deployment is accepted, no stage begins, no bake goes on. */
import { z } from 'zod';
import type { Aggregate, EventsOf } from './event.ts';
import { UserId } from './ids.ts';
import { refuse, type Decision, type Refusal } from './refusal.ts';

const said = z.strictObject({ by: UserId, reason: z.string().min(1).max(1000), at: z.iso.datetime() });

export const freezeEvents = {
  RolloutsFrozen: { schema: 1, data: said },
  RolloutsThawed: { schema: 1, data: said },
} as const;
export type FreezeEvent = EventsOf<typeof freezeEvents>;

/** Who froze all rollouts, why, and since when (ISO 8601); null: nobody. */
export type FreezeState = z.output<typeof said> | null;

/** Stream `freeze-rollouts`. */
export const freeze: Aggregate<FreezeState, FreezeEvent> = {
  name: 'freeze',
  events: freezeEvents,
  initial: null,
  evolve: (_state, { type, data }) => (type === 'RolloutsFrozen' ? data : null),
};
export const freezeId = 'rollouts';

/** The same again: no events. */
export function setFrozen(
  state: FreezeState,
  frozen: boolean,
  data: z.output<typeof said>,
): Decision<FreezeEvent> {
  if ((state !== null) === frozen) return [];
  return [{ type: frozen ? 'RolloutsFrozen' : 'RolloutsThawed', data }];
}

/** No force helps: what was accepted would only wait. */
export function refuseFrozen(state: FreezeState): Refusal | null {
  if (!state) return null;
  const message = `All rollouts are frozen since ${state.at} by ${state.by}: ${state.reason}`;
  return refuse('Conflict', message);
}
