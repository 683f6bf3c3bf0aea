import type { z } from 'zod';
import type { Documents } from '../core/projection.ts';
import type { EventSchema } from '../domain/event.ts';
import { parseSlotKey, type Slot } from '../domain/ids.ts';
import type { RecordedEvent } from '../ports/event-store.ts';

/** A projection's handler that knows the shape of its event's data. */
export function on<D extends z.ZodType>(
  _schema: EventSchema<D>,
  handle: (data: z.output<D>, documents: Documents, event: RecordedEvent) => void | Promise<void>,
): (event: RecordedEvent, documents: Documents) => void | Promise<void> {
  // The projector decodes by this very schema before it hands an event over; to do it again would be the dearest part of most.
  return (event, documents) => handle(event.data as object as z.output<D>, documents, event);
}

/** The slot whose event it is. */
export function slotOfEvent({ stream }: RecordedEvent): Slot {
  const found = parseSlotKey(stream.slice('slot-'.length));
  if (!found) throw new Error(`${stream} is no stream of a slot`);
  return found;
}
