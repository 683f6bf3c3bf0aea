/**
 * The PlatformAdmins who count: one stream, `administrators-platform`, so that the last one cannot go, whoever else goes at the same
 * time. One is counted after becoming an administrator and uncounted before ceasing to be one: who is counted is one.
 */
import { z } from 'zod';
import type { Aggregate, EventSchemas, EventsOf } from './event.ts';
import { UserId } from './ids.ts';
import { refuse, type Decision } from './refusal.ts';
import type { UserState } from './user.ts';

/** `asOf`: the revision of the user's stream at which he was an administrator. */
const Counting = z.object({ userId: UserId, asOf: z.int() });
const events = {
  AdministratorCounted: { schema: 1, data: Counting },
  AdministratorUncounted: { schema: 1, data: Counting },
} satisfies EventSchemas;
export type AdministratorEvent = EventsOf<typeof events>;

export interface Administrators {
  readonly counted: ReadonlySet<UserId>;
  /** As of which revision each was uncounted last: whoever counts him as of no later one comes too late. */
  readonly uncounted: ReadonlyMap<UserId, number>;
}

export const administrators: Aggregate<Administrators, AdministratorEvent> = {
  name: 'administrators',
  events,
  initial: { counted: new Set(), uncounted: new Map() },
  evolve({ counted, uncounted }, { type, data: { userId, asOf } }) {
    switch (type) {
      case 'AdministratorCounted':
        return { counted: new Set(counted).add(userId), uncounted };
      case 'AdministratorUncounted': {
        const others = [...counted].filter((other) => other !== userId);
        const latest = Math.max(asOf, uncounted.get(userId) ?? asOf);
        return { counted: new Set(others), uncounted: new Map(uncounted).set(userId, latest) };
      }
    }
  },
};

export const administratorsId = 'platform';

export function isAdministrator(state: UserState): boolean {
  return state.status === 'Active' && state.role === 'PlatformAdmin';
}

export function countAdministrator(
  { counted, uncounted }: Administrators,
  userId: UserId,
  asOf: number,
): Decision<AdministratorEvent> {
  if (counted.has(userId) || (uncounted.get(userId) ?? -1) >= asOf) return [];
  return [{ type: 'AdministratorCounted', data: { userId, asOf } }];
}

/** Uncounted even when he was not counted: another command may be about to. */
export function uncountAdministrator(
  { counted, uncounted }: Administrators,
  userId: UserId,
  asOf: number,
): Decision<AdministratorEvent> {
  const others = [...counted].filter((other) => other !== userId);
  if (others.length === 0) return refuse('Conflict', 'The platform needs at least one PlatformAdmin');
  if (!counted.has(userId) && (uncounted.get(userId) ?? -1) >= asOf) return [];
  return [{ type: 'AdministratorUncounted', data: { userId, asOf } }];
}
