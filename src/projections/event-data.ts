import type { z } from 'zod';
import type { Documents } from '../core/projection.ts';
import type { EventSchema } from '../domain/event.ts';
import type { RecordedEvent } from '../ports/event-store.ts';

/** A projection's handler that knows the shape of its event's data. */
export function on<D extends z.ZodType>(
  { data }: EventSchema<D>,
  handle: (data: z.output<D>, documents: Documents, event: RecordedEvent) => void | Promise<void>,
): (event: RecordedEvent, documents: Documents) => void | Promise<void> {
  return (event, documents) => handle(data.parse(event.data), documents, event);
}
