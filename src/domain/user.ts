/** A person who logs in. The password is no event: it is in the vault, under the user's id. */
import { z } from 'zod';
import type { Aggregate, EventSchemas, EventsOf } from './event.ts';
import { platformTenant, TenantId, UserId } from './ids.ts';
import { Role } from './permissions.ts';
import { refuse } from './refusal.ts';
import type { Decision, Refusal } from './refusal.ts';

/** An address as people compare them: without surrounding space, in lower case. */
export const Email = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(z.email('Email must be an e-mail address').max(254))
  .brand<'Email'>();
export type Email = z.output<typeof Email>;

/** Personal data as `Vault.sealFor` writes it. */
const Sealed = z.string().startsWith('sealed:');

export const userEvents = {
  UserCreated: {
    schema: 1,
    data: z.object({
      userId: UserId,
      tenantId: TenantId,
      role: Role,
      email: Sealed,
      name: Sealed.nullable(),
    }),
  },
  /** Its e-mail address went to another: the creation of this user stopped half-way and must not go on. */
  UserCreationAbandoned: { schema: 1, data: z.object({}) },
} satisfies EventSchemas;
export type UserEvent = EventsOf<typeof userEvents>;
export type NewUser = Extract<UserEvent, { type: 'UserCreated' }>['data'];

export type UserState =
  | { readonly status: 'Unknown' | 'Abandoned' }
  | { readonly status: 'Active'; readonly tenantId: TenantId; readonly role: Role };

export const user: Aggregate<UserState, UserEvent> = {
  name: 'user',
  events: userEvents,
  initial: { status: 'Unknown' },
  evolve(_state, event) {
    switch (event.type) {
      case 'UserCreated':
        return { status: 'Active', tenantId: event.data.tenantId, role: event.data.role };
      case 'UserCreationAbandoned':
        return { status: 'Abandoned' };
    }
  },
};

export function createUser(state: UserState, newUser: NewUser): Decision<UserEvent> {
  if (state.status === 'Active') return [];
  if (state.status === 'Abandoned') return emailInUse();
  const misplaced = refuseMisplaced(newUser);
  if (misplaced) return misplaced;
  return [{ type: 'UserCreated', data: newUser }];
}

/** Platform staff belongs to the platform's tenant, and who crosses tenants is platform staff. */
export function refuseMisplaced({ role, tenantId }: Pick<NewUser, 'role' | 'tenantId'>): Refusal | null {
  if (role !== 'PlatformAdmin' || tenantId === platformTenant) return null;
  const message = `A PlatformAdmin belongs to the tenant ${platformTenant}`;
  return refuse('Invalid', message, { field: 'role', message });
}

/** Decides, once for both sides, whether the holder of a reserved e-mail address exists or never will. */
export function abandonCreation(state: UserState): Decision<UserEvent> {
  switch (state.status) {
    case 'Active':
      return emailInUse();
    case 'Abandoned':
      return [];
    case 'Unknown':
      return [{ type: 'UserCreationAbandoned', data: {} }];
  }
}

export function emailInUse(): Refusal {
  const message = 'The e-mail address belongs to another user';
  return refuse('Conflict', message, { field: 'email', message });
}
