/** Follows slots inside any projection: each keeps the states of the slots in a collection of its own. */
import type { Collection, Documents, Projection } from '../core/projection.ts';
import { slotKey, type Slot, type SlotKey } from '../domain/ids.ts';
import { slot, slotEvents, type SlotEvent, type SlotState } from '../domain/slot.ts';
import type { RecordedEvent } from '../ports/event-store.ts';
import { slotOfEvent } from './event-data.ts';

/** A slot as far as a projection needs it to follow its events. */
export interface FoldedSlot {
  readonly state: SlotState;
}

export interface SlotMove {
  readonly key: SlotKey;
  /** The environment in lower case. */
  readonly slot: Slot;
  readonly before: SlotState;
  readonly after: SlotState;
  readonly event: RecordedEvent;
}

export type SlotHandlers = Projection['on'];

export async function slotState(
  collection: Collection<FoldedSlot>,
  documents: Documents,
  key: SlotKey,
): Promise<SlotState> {
  return (await documents.get(collection, key))?.state ?? slot.initial;
}

/** Handlers of all events of slots. @param handle stores what follows; the slot's state, where it is a document of its own, as well */
export function onSlots(
  collection: Collection<FoldedSlot>,
  handle: (move: SlotMove, documents: Documents) => void | Promise<void>,
): SlotHandlers {
  const follow = async (event: RecordedEvent, documents: Documents): Promise<void> => {
    const parts = slotOfEvent(event);
    const key = slotKey(parts);
    const before = await slotState(collection, documents, key);
    const after = slot.evolve(before, slotEvent(event));
    await handle({ key, slot: parts, before, after, event }, documents);
  };
  return Object.fromEntries(Object.keys(slotEvents).map((type) => [type, follow]));
}

function slotEvent({ type, data }: RecordedEvent): SlotEvent {
  // The projector decodes by the schemas of slotEvents before it hands an event over: the type says which data it has.
  return { type, data } as { readonly type: string } as SlotEvent;
}
