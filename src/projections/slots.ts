/** Slots as the rollout process asks for them: which have something in them, and which claims nobody has confirmed. */
import { NotThereYet } from '../core/consistency.ts';
import type { Collection, Documents, Projection } from '../core/projection.ts';
import type { Projector } from '../core/projector.ts';
import { deploymentEvents } from '../domain/deployment/events.ts';
import {
  parseSlotKey,
  slotKey,
  type DeploymentId,
  type PluginId,
  type Slot,
  type SlotKey,
  type TenantId,
} from '../domain/ids.ts';
import { unconfirmedClaims, type Expiring } from '../domain/slot.ts';
import type { Position } from '../ports/event-store.ts';
import type { Filter, ReadModels, Scope } from '../ports/read-models.ts';
import { on } from './event-data.ts';
import { onSlots, type FoldedSlot, type SlotMove } from './slot-fold.ts';

/** One slot, by its key. Times are ISO 8601. */
export interface SlotDocument extends FoldedSlot {
  readonly key: SlotKey;
  /** The environment in lower case. */
  readonly slot: Slot;
  /** A deployment is current or in flight. */
  readonly occupied: boolean;
  /** Claims of which nobody has said yet what follows: of the flight, its successor, or both. */
  readonly unconfirmed: readonly Expiring[];
  /** When the first of them expires; null: all are confirmed. */
  readonly claimExpiresAt: string | null;
}

export const slots: Collection<SlotDocument> = {
  name: 'slots',
  visibility: 'tenant',
  indexes: [
    { fields: ['occupied'] },
    { fields: ['slot.plugin'] },
    { fields: ['slot.tenant', 'slot.environment'] },
    { fields: ['claimExpiresAt'] },
  ],
  text: [],
};

export const slotsProjection: Projection = {
  name: 'slots',
  version: 4,
  collections: [slots],
  on: {
    ...onSlots(slots, follow),
    DeploymentRequested: on(deploymentEvents.DeploymentRequested, async (request, documents) => {
      const found = await documents.get(slots, slotKey(request));
      if (found) put(documents, confirmed(found, request.deploymentId));
    }),
  },
};

async function follow({ key, slot, after, event }: SlotMove, documents: Documents): Promise<void> {
  const known = (await documents.get(slots, key))?.unconfirmed ?? [];
  const claims = unconfirmedClaims(after);
  const claimed = ['SlotClaimed', 'SuccessorClaimed', 'UndeployProposed'].includes(event.type);
  // The newest last.
  const fresh = claimed ? claims.slice(-1) : [];
  put(documents, {
    key,
    slot,
    state: after,
    occupied: after.current !== null || after.flight !== null,
    unconfirmed: [...known, ...fresh].filter(({ deploymentId }) =>
      claims.some((claim) => claim.deploymentId === deploymentId),
    ),
  });
}

function confirmed(found: SlotDocument, deploymentId: DeploymentId): SlotDocument {
  return { ...found, unconfirmed: found.unconfirmed.filter((claim) => claim.deploymentId !== deploymentId) };
}

function put(documents: Documents, slot: Omit<SlotDocument, 'claimExpiresAt'>): void {
  const [first] = slot.unconfirmed.map(({ expiresAt }) => expiresAt).sort();
  documents.put(slots, slot.key, slot.slot.tenant, { ...slot, claimExpiresAt: first ?? null });
}

const platform: Scope = { kind: 'platform' };
const pageSize = 200;

/** All slots with something in them, page by page, in the order of their keys. */
export function occupiedSlots(models: ReadModels): AsyncGenerator<SlotDocument, void> {
  return slotsThat(models, { equal: ['occupied', true] });
}

/** Those of a tenant. */
export function occupiedSlotsIn(models: ReadModels, tenant: TenantId): AsyncGenerator<SlotDocument, void> {
  return slotsThat(models, { equal: ['occupied', true] }, { kind: 'tenant', tenant });
}

const caughtUpWithinMs = 2_000;

type Followed = Pick<Projector, 'waitFor' | 'parked'>;

/**
 * The plugin's slots that were occupied as of a position, unless they are free again by now; perhaps some that were claimed since.
 * @throws {NotThereYet} when the read model does not reach the position in time
 */
export function occupiedSlotsOf(
  deps: { readonly models: ReadModels; readonly projector: Followed },
  plugin: PluginId,
  asOf: Position,
): Promise<readonly SlotKey[]> {
  return occupiedAsOf(deps, asOf, [{ equal: ['slot.plugin', plugin] }], (slot) => slot.plugin === plugin);
}

/**
 * The slots of a tenant and environment, as {@link occupiedSlotsOf}.
 * @throws {NotThereYet} when the read model does not reach the position in time
 */
export function occupiedSlotsBeside(
  deps: { readonly models: ReadModels; readonly projector: Followed },
  { tenant, environment }: Pick<Slot, 'tenant' | 'environment'>,
  asOf: Position,
): Promise<readonly SlotKey[]> {
  const key = environment.toLowerCase();
  const filters: readonly Filter[] = [
    { equal: ['slot.tenant', tenant] },
    { equal: ['slot.environment', key] },
  ];
  return occupiedAsOf(deps, asOf, filters, (slot) => slot.tenant === tenant && slot.environment === key);
}

async function occupiedAsOf(
  { models, projector }: { readonly models: ReadModels; readonly projector: Followed },
  asOf: Position,
  filters: readonly Filter[],
  isMeant: (slot: Slot) => boolean,
): Promise<readonly SlotKey[]> {
  if (!(await projector.waitFor([slotsProjection.name], asOf, caughtUpWithinMs)))
    throw new NotThereYet(`the slots have not reached ${asOf} yet`);
  const filter = { and: [...filters, { equal: ['occupied', true] }] } as const;
  const known = await Array.fromAsync(slotsThat(models, filter), ({ key }) => key);
  return [...new Set([...known, ...parkedSlots(projector).filter(isMeant).map(slotKey)])];
}

/** What the read model could not digest may be occupied. */
function parkedSlots(projector: Followed): readonly Slot[] {
  return projector
    .parked()
    .filter(({ projection, stream }) => projection === slotsProjection.name && stream.startsWith('slot-'))
    .flatMap(({ stream }) => parseSlotKey(stream.slice('slot-'.length)) ?? []);
}

async function* slotsThat(
  models: ReadModels,
  filter: Filter,
  scope: Scope = platform,
): AsyncGenerator<SlotDocument, void> {
  let cursor: string | undefined;
  do {
    const page = await models.find<SlotDocument>(slots.name, {
      scope,
      filter,
      limit: pageSize,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const { data } of page.documents) yield data;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** Slots with a claim that has expired unconfirmed, the oldest first. @param nowMs wall milliseconds @param limit 1..1,000 */
export async function dueClaims(
  models: ReadModels,
  nowMs: number,
  limit: number,
): Promise<readonly SlotKey[]> {
  const page = await models.find<SlotDocument>(slots.name, {
    scope: platform,
    filter: { range: ['claimExpiresAt', { lte: new Date(nowMs).toISOString() }] },
    sort: [{ path: 'claimExpiresAt', order: 'asc' }],
    limit,
  });
  return page.documents.map(({ data }) => data.key);
}
