/**
 * What a tenant's deployments reserve, beside what its quotas and its limit of deployments allow (decisions 16, 25). Its stream's
 * expected revision decides who takes the last place: a reservation is claimed before its deployment is recorded.
 */
import { z } from 'zod';
import type { Aggregate, EventsOf } from './event.ts';
import { DeploymentId, parseSlotKey, PluginId, type SlotKey } from './ids.ts';
import { refuse, type Decision, type Refusal } from './refusal.ts';
import type { Tenant } from './tenant.ts';

const Key = z.custom<SlotKey>((key) => typeof key === 'string' && parseSlotKey(key) !== null);

export const quotaEvents = {
  QuotaReserved: {
    schema: 1,
    data: z.strictObject({
      deploymentId: DeploymentId,
      slot: Key,
      /** Of the slot's claim that it belongs to: a newer claim of the same deployment reserves anew. */
      fence: z.int().min(0),
      plugin: PluginId,
      /** Of all instances together. */
      cpu: z.number().min(0),
      memoryMB: z.number().min(0),
      instances: z.int().min(1),
      /** Somebody asked for the deployment: it counts for the limit of an hour. Else its instances run again, which nobody may refuse. */
      requested: z.boolean(),
      at: z.iso.datetime(),
    }),
  },
  QuotaReleased: {
    schema: 1,
    data: z.strictObject({
      deploymentId: DeploymentId,
      slot: Key,
      /** Refused and Expired: there is no such deployment, and it does not count for the limit of an hour. */
      reason: z.enum(['Refused', 'Expired', 'Gone']),
    }),
  },
} as const;
export type QuotaEvent = EventsOf<typeof quotaEvents>;

export type Reservation = Omit<
  z.output<typeof quotaEvents.QuotaReserved.data>,
  'cpu' | 'memoryMB' | 'requested' | 'at'
> & {
  /** Whole millionths, so that sums of many fractions come back to zero. */
  readonly microCpu: number;
  readonly microMemoryMB: number;
};

export interface QuotaState {
  /** The live ones. */
  readonly reservations: readonly Reservation[];
  /** Deployments asked for within the hour before the newest of them, the oldest first. `at` in wall milliseconds. */
  readonly requested: readonly { readonly deploymentId: DeploymentId; readonly at: number }[];
}

/** Stream `quota-{tenant}`. */
export const quota: Aggregate<QuotaState, QuotaEvent> = {
  name: 'quota',
  snapshotVersion: 1,
  events: quotaEvents,
  initial: { reservations: [], requested: [] },
  evolve: ({ reservations, requested }, { type, data }) => {
    const others = reservations.filter(isOf(data, false));
    const uncounted = requested.filter(isOf(data, false));
    if (type === 'QuotaReleased')
      return { reservations: others, requested: data.reason === 'Gone' ? requested : uncounted };
    const { cpu, memoryMB, requested: counts, at, ...rest } = data;
    const reservation = { ...rest, microCpu: micro(cpu), microMemoryMB: micro(memoryMB) };
    const now = Date.parse(at);
    return {
      reservations: [...others, reservation],
      requested: counts
        ? [...uncounted.filter((one) => one.at > now - hourMs), { deploymentId: data.deploymentId, at: now }]
        : requested,
    };
  },
};

const hourMs = 3_600_000;

function micro(amount: number): number {
  return Math.round(amount * 1e6);
}

function isOf(
  { deploymentId }: { readonly deploymentId: DeploymentId },
  wanted: boolean,
): (one: { readonly deploymentId: DeploymentId }) => boolean {
  return (one) => (one.deploymentId === deploymentId) === wanted;
}

// Questions

export interface Reserved {
  readonly plugins: number;
  readonly cpu: number;
  readonly memoryMB: number;
  readonly instances: number;
}

export function reservedIn(reservations: readonly Reservation[]): Reserved {
  const sum = (amount: (one: Reservation) => number): number =>
    reservations.reduce((total, one) => total + amount(one), 0);
  return {
    plugins: new Set(reservations.map(({ plugin }) => plugin)).size,
    cpu: sum(({ microCpu }) => microCpu) / 1e6,
    memoryMB: sum(({ microMemoryMB }) => microMemoryMB) / 1e6,
    instances: sum(({ instances }) => instances),
  };
}

// Decisions

/** What a deployment asks for: all of its instances, beside those that it replaces. */
export type AskedQuota = Omit<z.output<typeof quotaEvents.QuotaReserved.data>, 'requested' | 'at'>;
export type Bounds = Pick<Tenant, 'quotas' | 'rateLimits'>;

/** Of every instance at least so much; see decisions 25. */
export function askedOf(
  reserves: { readonly cpu: number; readonly memoryMB: number },
  instances: number,
): Pick<AskedQuota, 'cpu' | 'memoryMB' | 'instances'> {
  return {
    cpu: (micro(reserves.cpu) * instances) / 1e6,
    memoryMB: (micro(reserves.memoryMB) * instances) / 1e6,
    instances,
  };
}

/** RateLimited or Conflict, in this order. What the same claim has reserved already: no events. @param now wall milliseconds */
export function reserve(
  state: QuotaState,
  asked: AskedQuota,
  { quotas, rateLimits }: Bounds,
  now: number,
): Decision<QuotaEvent> {
  const held = state.reservations.find(isOf(asked, true));
  if (held?.fence === asked.fence) return [];
  const others = withoutOwn(state, asked.deploymentId);
  const refusal = refuseHaste(others, rateLimits, now) ?? refuseExcess(others.reservations, asked, quotas);
  if (refusal) return refusal;
  return [{ type: 'QuotaReserved', data: { ...asked, requested: true, at: new Date(now).toISOString() } }];
}

/** What others have taken: a deployment that is asked for again does not stand in its own way. */
export function withoutOwn(state: QuotaState, deploymentId: DeploymentId): QuotaState {
  const others = isOf({ deploymentId }, false);
  return { reservations: state.reservations.filter(others), requested: state.requested.filter(others) };
}

/** RateLimited when as many deployments as the tenant may ask for were accepted within the last hour. @param now wall milliseconds */
export function refuseHaste(
  { requested }: Pick<QuotaState, 'requested'>,
  { maxDeploymentsPerHour: most }: Bounds['rateLimits'],
  now: number,
): Refusal | null {
  if (most === null) return null;
  const recent = requested.filter(({ at }) => at > now - hourMs);
  if (recent.length < most) return null;
  // As many as are too many have to grow an hour old first.
  const leaving = recent[recent.length - most]?.at ?? now;
  const retryAfterSeconds = Math.max(1, Math.ceil((leaving + hourMs - now) / 1_000));
  const message = `The tenant's limit maxDeploymentsPerHour is ${most}, and ${recent.length} were accepted within the last hour: try again in ${retryAfterSeconds} seconds`;
  return { ...refuse('RateLimited', message), retryAfterSeconds };
}

/** Conflict that names every quota that would be exceeded. What asks for nothing of a quota exceeds nothing. */
export function refuseExcess(
  reservations: readonly Reservation[],
  asked: Pick<AskedQuota, 'slot' | 'plugin' | 'cpu' | 'memoryMB'>,
  quotas: Bounds['quotas'],
): Refusal | null {
  const used = reservedIn(reservations);
  const isNew = !reservations.some(({ plugin }) => plugin === asked.plugin);
  const bounds = [
    ['maxPlugins', quotas.maxPlugins, used.plugins, isNew ? 1 : 0],
    ['maxCpu', quotas.maxCpu, used.cpu, asked.cpu],
    ['maxMemoryGB', quotas.maxMemoryGB, used.memoryMB / 1024, asked.memoryMB / 1024],
  ] as const;
  const details = bounds.flatMap(([name, limit, has, wants]) =>
    limit === null || wants === 0 || micro(has + wants) <= micro(limit)
      ? []
      : [
          {
            field: `quotas.${name}`,
            message: `${name}: limit ${limit}, used ${shown(has)}, asked ${shown(wants)}`,
          },
        ],
  );
  if (details.length === 0) return null;
  const told = details.map(({ message }) => message).join('; ');
  const replaces = reservations.some(({ slot }) => slot === asked.slot);
  const why = replaces ? '. What it would replace counts until the rollout has ended' : '';
  const way = 'deploy fewer instances, undeploy something, or ask a PlatformAdmin for more';
  return refuse('Conflict', `The tenant's quota is exceeded: ${told}${why}: ${way}`, ...details);
}

function shown(amount: number): number {
  return Math.round(amount * 1e6) / 1e6;
}

/** Of what is not reserved: no events. */
export function release(
  state: QuotaState,
  deploymentId: DeploymentId,
  reason: 'Refused' | 'Expired' | 'Gone',
): Decision<QuotaEvent> {
  const held = state.reservations.find(isOf({ deploymentId }, true));
  return held ? [{ type: 'QuotaReleased', data: { deploymentId, slot: held.slot, reason } }] : [];
}

/** How a slot is, read after its reservations were. */
export interface Occupied {
  readonly slot: SlotKey;
  /** Those that have a place in the slot: current, in flight, returned to or next. */
  readonly holders: readonly DeploymentId[];
  /** What its recorded deployments reserve, whether they have a place or not. */
  readonly recorded: readonly AskedQuota[];
}

/**
 * Brings a slot's reservations to what runs: releases those that have left it, and reserves for those that run without, as a
 * rollback does that starts what had been released; a rollback is never refused for quota.
 * @param seen the state that was read before the slot; when the slot's reservations have changed since, their event asks again
 */
export function settle(
  state: QuotaState,
  seen: QuotaState,
  { slot, holders, recorded }: Occupied,
  now: number,
): readonly QuotaEvent[] {
  const here = reservationsOf(state, slot);
  if (JSON.stringify(here) !== JSON.stringify(reservationsOf(seen, slot))) return [];
  const at = new Date(now).toISOString();
  const left = here.filter(({ deploymentId }) => !holders.includes(deploymentId));
  const missing = recorded.filter((one) => holders.includes(one.deploymentId) && !here.some(isOf(one, true)));
  return [
    ...left.map(({ deploymentId }): QuotaEvent => {
      const reason = recorded.some(isOf({ deploymentId }, true)) ? 'Gone' : 'Expired';
      return { type: 'QuotaReleased', data: { deploymentId, slot, reason } };
    }),
    ...missing.map((one): QuotaEvent => ({ type: 'QuotaReserved', data: { ...one, requested: false, at } })),
  ];
}

export function reservationsOf({ reservations }: QuotaState, slot: SlotKey): readonly Reservation[] {
  return reservations.filter((one) => one.slot === slot);
}
