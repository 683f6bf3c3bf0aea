/** A tenant's secrets: which there are, and what was done to them. What they are, only the vault knows. */
import { z } from 'zod';
import type { Aggregate, EventsOf } from './event.ts';
import { TenantId, UserId } from './ids.ts';
import { refuse, type Decision } from './refusal.ts';
import { SecretName } from './secret-reference.ts';

// Events

const change = {
  tenantId: TenantId,
  name: SecretName,
  /** Counts the changes of all secrets of the tenant, from 1. The value lies in the vault under it. */
  version: z.int().positive(),
  by: UserId,
  at: z.string(),
};

export const secretEvents = {
  SecretSet: { schema: 1, data: z.strictObject(change) },
  /** From here on the vault holds no value of it. */
  SecretDeleted: { schema: 1, data: z.strictObject(change) },
} as const;
export type SecretEvent = EventsOf<typeof secretEvents>;
export type SecretChange = SecretEvent['data'];

// State

export interface SecretVersion {
  readonly version: number;
  /** When it was set, ISO 8601. */
  readonly at: string;
}

export interface Secret {
  readonly name: SecretName;
  readonly createdAt: string;
  /** Those whose values are kept, the newest first. */
  readonly versions: readonly [SecretVersion, ...SecretVersion[]];
}

export interface Secrets {
  /** Of the last change; 0: there never was one. */
  readonly version: number;
  /** By name. */
  readonly secrets: readonly Secret[];
}

/** Of each secret: those of the three last completed deployments, the one in flight and the next, when each brought a new value. */
const mostVersions = 5;
const mostSecrets = 100;

export const secrets: Aggregate<Secrets, SecretEvent> = {
  name: 'secrets',
  events: secretEvents,
  initial: { version: 0, secrets: [] },
  evolve: (state, { type, data: { name, version, at } }) => {
    const known = findSecret(state, name);
    const others = state.secrets.filter((other) => other.name !== name);
    if (type === 'SecretDeleted') return { version, secrets: others };
    const older = known?.versions.slice(0, mostVersions - 1) ?? [];
    const secret: Secret = {
      name,
      createdAt: known?.createdAt ?? at,
      versions: [{ version, at }, ...older],
    };
    return { version, secrets: [...others, secret].sort((a, b) => (a.name < b.name ? -1 : 1)) };
  },
  snapshotVersion: 1,
};

// Questions

export function findSecret({ secrets: all }: Secrets, name: string): Secret | null {
  return all.find((secret) => secret.name === name) ?? null;
}

// Decisions

/** Nothing, when another change has taken the version. */
export function setSecret(state: Secrets, change: SecretChange): Decision<SecretEvent> {
  if (change.version <= state.version) return [];
  if (!findSecret(state, change.name) && state.secrets.length >= mostSecrets)
    return refuse('Conflict', `Tenant ${change.tenantId} has ${mostSecrets} secrets, and that is the most`);
  return [{ type: 'SecretSet', data: change }];
}

export function deleteSecret(state: Secrets, change: Omit<SecretChange, 'version'>): Decision<SecretEvent> {
  if (!findSecret(state, change.name)) return refuse('NotFound', `There is no secret ${change.name}`);
  return [{ type: 'SecretDeleted', data: { ...change, version: state.version + 1 } }];
}
