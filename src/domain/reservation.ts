/** A name that only one may have: a stream of its own, claimed before what is named is appended. */
import { z } from 'zod';
import type { Aggregate, EventsOf } from './event.ts';
import { refuse, type Decision } from './refusal.ts';

export const reservationEvents = {
  NameReserved: { schema: 1, data: z.object({ claimant: z.string() }) },
  NameReleased: { schema: 1, data: z.object({ claimant: z.string() }) },
} as const;
export type ReservationEvent = EventsOf<typeof reservationEvents>;

/** Who has the name; null: nobody. */
export type Reservation = string | null;

function reservationOf(name: string): Aggregate<Reservation, ReservationEvent> {
  return {
    name,
    events: reservationEvents,
    initial: null,
    evolve: (_state, event) => {
      switch (event.type) {
        case 'NameReserved':
          return event.data.claimant;
        case 'NameReleased':
          return null;
      }
    },
  };
}

/** Namespaces of tenants. The claimant is the tenant's id. */
export const namespaceReservation = reservationOf('namespace');
/** Package names with a scope. The claimant is `{tenant}/{pluginId}`. */
export const packageNameReservation = reservationOf('packagename');

/** The same claimant again has it already: a crash between the claim and what it is for only needs a repetition. */
export function reserve(
  holder: Reservation,
  claimant: string,
  taken: { readonly field: string; readonly message: string },
): Decision<ReservationEvent> {
  if (holder === claimant) return [];
  if (holder !== null) return refuse('Conflict', taken.message, taken);
  return [{ type: 'NameReserved', data: { claimant } }];
}

/** Gives back what the claimant has; nobody else's claim is touched. */
export function release(holder: Reservation, claimant: string): Decision<ReservationEvent> {
  return holder === claimant ? [{ type: 'NameReleased', data: { claimant } }] : [];
}
