/** Who holds an e-mail address: one stream an address, its id the address's fingerprint, so that no two users share one. */
import { z } from 'zod';
import type { Aggregate, EventSchemas, EventsOf } from './event.ts';
import { UserId } from './ids.ts';
import type { Decision } from './refusal.ts';
import { emailInUse } from './user.ts';

const events = {
  EmailReserved: { schema: 1, data: z.object({ userId: UserId }) },
  EmailReleased: { schema: 1, data: z.object({ userId: UserId }) },
} satisfies EventSchemas;
export type EmailReservationEvent = EventsOf<typeof events>;

export interface EmailReservationState {
  readonly holder: UserId | null;
}

export const emailReservation: Aggregate<EmailReservationState, EmailReservationEvent> = {
  name: 'email',
  events,
  initial: { holder: null },
  evolve(_state, event) {
    switch (event.type) {
      case 'EmailReserved':
        return { holder: event.data.userId };
      case 'EmailReleased':
        return { holder: null };
    }
  },
};

/** @param abandoned a holder that does not exist and never will: the address passes from it to `userId` */
export function reserveEmail(
  { holder }: EmailReservationState,
  userId: UserId,
  abandoned: UserId | null,
): Decision<EmailReservationEvent> {
  const reserved = { type: 'EmailReserved', data: { userId } } as const;
  if (holder === userId) return [];
  if (holder === null) return [reserved];
  if (holder === abandoned) return [{ type: 'EmailReleased', data: { userId: holder } }, reserved];
  return emailInUse();
}

/** Of who does not need it any more. What another holds is left alone. */
export function releaseEmail(
  { holder }: EmailReservationState,
  userId: UserId,
): Decision<EmailReservationEvent> {
  return holder === userId ? [{ type: 'EmailReleased', data: { userId } }] : [];
}
