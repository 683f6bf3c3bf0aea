/** Whether this platform has had its first start, with an administrator whom somebody knows how to log in as. */
import { z } from 'zod';
import type { Aggregate, EventSchemas, EventsOf } from './event.ts';
import { UserId } from './ids.ts';
import type { Decision } from './refusal.ts';

const events = { PlatformSetUp: { schema: 1, data: z.object({ adminId: UserId }) } } satisfies EventSchemas;
export type PlatformSetupEvent = EventsOf<typeof events>;

export interface PlatformSetupState {
  readonly done: boolean;
}

/** One stream, `platform-setup`. */
export const platformSetup: Aggregate<PlatformSetupState, PlatformSetupEvent> = {
  name: 'platform',
  events,
  initial: { done: false },
  evolve: () => ({ done: true }),
};

export function finishSetup({ done }: PlatformSetupState, adminId: UserId): Decision<PlatformSetupEvent> {
  return done ? [] : [{ type: 'PlatformSetUp', data: { adminId } }];
}
