/** A person who logs in, with the keys of the programs that ask on his behalf. No secret is an event: passwords and keys are in the vault. */
import { z } from 'zod';
import type { Aggregate, EventSchemas, EventsOf } from './event.ts';
import { ApiKeyId, Environment, platformTenant, TenantId, UserId } from './ids.ts';
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

const ApiKeyBeforeScopes = z.record(z.string(), z.json());

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
  UserRenamed: { schema: 1, data: z.object({ userId: UserId, name: Sealed.nullable() }) },
  UserRoleChanged: { schema: 1, data: z.object({ userId: UserId, role: Role }) },
  /** All that acts for the user ends: sessions, and API keys for good. */
  UserDisabled: { schema: 1, data: z.object({ userId: UserId }) },
  UserEnabled: { schema: 1, data: z.object({ userId: UserId }) },
  /** The key to all that is personal was destroyed. Nothing can be changed any more. */
  UserForgotten: { schema: 1, data: z.object({ userId: UserId }) },
  PasswordChanged: { schema: 1, data: z.object({ userId: UserId }) },
  ApiKeyCreated: {
    schema: 2,
    upcasts: { 1: (data) => ({ scope: null, ...ApiKeyBeforeScopes.parse(data) }) },
    data: z.object({
      keyId: ApiKeyId,
      name: z.string(),
      permissions: z.array(z.string()),
      /** Of an agent's key: the one place that it is good for. */
      scope: z.object({ tenant: TenantId, environment: Environment }).nullable(),
      /** ISO 8601, as is `createdAt`. */
      expiresAt: z.string(),
      createdAt: z.string(),
    }),
  },
  ApiKeyRevoked: { schema: 1, data: z.object({ keyId: ApiKeyId }) },
} satisfies EventSchemas;
export type UserEvent = EventsOf<typeof userEvents>;
export type NewUser = Extract<UserEvent, { type: 'UserCreated' }>['data'];

export type UserState = { readonly status: 'Unknown' | 'Abandoned' } | KnownUser;

export type ApiKey = Extract<UserEvent, { type: 'ApiKeyCreated' }>['data'];

export interface KnownUser {
  /** Forgotten: disabled for good, and nobody can tell any more who it was. */
  readonly status: 'Active' | 'Disabled' | 'Forgotten';
  readonly tenantId: TenantId;
  readonly role: Role;
  /** Sealed for the user, as is the name. */
  readonly email: string;
  readonly name: string | null;
  /** Those that were not revoked, the oldest first; they may have expired. */
  readonly apiKeys: readonly ApiKey[];
}

/** Null for who never came to be. */
export function knownUser(state: UserState): KnownUser | null {
  return 'tenantId' in state ? state : null;
}

export const user: Aggregate<UserState, UserEvent> = {
  name: 'user',
  events: userEvents,
  initial: { status: 'Unknown' },
  evolve(state, event) {
    if (event.type === 'UserCreationAbandoned') return { status: 'Abandoned' };
    if (event.type === 'UserCreated') {
      const { tenantId, role, email, name } = event.data;
      return { status: 'Active', tenantId, role, email, name, apiKeys: [] };
    }
    const known = knownUser(state);
    return known ? changed(known, event) : state;
  },
};

type Change = Exclude<UserEvent, { type: 'UserCreated' | 'UserCreationAbandoned' }>;

function changed(state: KnownUser, event: Change): KnownUser {
  switch (event.type) {
    case 'UserRenamed':
      return { ...state, name: event.data.name };
    case 'UserRoleChanged':
      return { ...state, role: event.data.role };
    case 'UserDisabled':
      return { ...state, status: 'Disabled', apiKeys: [] };
    case 'UserEnabled':
      return { ...state, status: 'Active' };
    case 'UserForgotten':
      return { ...state, status: 'Forgotten', apiKeys: [] };
    case 'PasswordChanged':
      return state;
    case 'ApiKeyCreated': {
      const { createdAt } = event.data;
      const valid = state.apiKeys.filter(({ expiresAt }) => expiresAt > createdAt);
      return { ...state, apiKeys: [...valid, event.data] };
    }
    case 'ApiKeyRevoked':
      return { ...state, apiKeys: state.apiKeys.filter(({ keyId }) => keyId !== event.data.keyId) };
  }
}

export function createUser(state: UserState, newUser: NewUser): Decision<UserEvent> {
  if (knownUser(state)) return [];
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
    case 'Disabled':
    case 'Forgotten':
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
