/** Slots as the rollout process asks for them: which have something in them, and which claims nobody has confirmed. */
import type { Collection, Documents, Projection } from '../core/projection.ts';
import { deploymentEvents } from '../domain/deployment/events.ts';
import { slotKey, type DeploymentId, type Slot, type SlotKey } from '../domain/ids.ts';
import type { Claim, SlotState } from '../domain/slot.ts';
import type { ReadModels, Scope } from '../ports/read-models.ts';
import { on } from './event-data.ts';
import { onSlots, type FoldedSlot, type SlotMove } from './slot-fold.ts';

/** One slot, by its key. Times are ISO 8601. */
export interface SlotDocument extends FoldedSlot {
  readonly key: SlotKey;
  /** The environment in lower case. */
  readonly slot: Slot;
  /** A deployment is current or in flight. */
  readonly occupied: boolean;
  /** Claims whose deployments have not been recorded: of the flight, its successor, or both. */
  readonly unconfirmed: readonly Pick<Claim, 'deploymentId' | 'expiresAt'>[];
  /** When the first of them expires; null: all are confirmed. */
  readonly claimExpiresAt: string | null;
}

export const slots: Collection<SlotDocument> = {
  name: 'slots',
  visibility: 'tenant',
  indexes: [{ fields: ['occupied'] }, { fields: ['claimExpiresAt'] }],
  text: [],
};

export const slotsProjection: Projection = {
  name: 'slots',
  version: 1,
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
  const claims = claimsOf(after);
  const claimed = event.type === 'SlotClaimed' || event.type === 'SuccessorClaimed';
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

/** The newest last. */
function claimsOf({ flight, successor }: SlotState): readonly SlotDocument['unconfirmed'][number][] {
  return [flight?.kind === 'rollout' ? flight : null, successor]
    .filter((claim) => claim !== null)
    .map(({ deploymentId, expiresAt }) => ({ deploymentId, expiresAt }));
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
export async function* occupiedSlots(models: ReadModels): AsyncGenerator<SlotDocument, void> {
  let cursor: string | undefined;
  do {
    const page = await models.find<SlotDocument>(slots.name, {
      scope: platform,
      filter: { equal: ['occupied', true] },
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
