/** Reading a log from its start, a page at a time. */
import type { EventStore, Position, RecordedEvent } from '../../ports/event-store.ts';

const page = 1_000;

export async function* eventsOf(log: {
  readAll(options: {
    readonly after: Position | null;
    readonly limit: number;
  }): ReturnType<EventStore['readAll']>;
}): AsyncGenerator<RecordedEvent> {
  let after: Position | null = null;
  for (let end = false; !end;) {
    const read = await log.readAll({ after, limit: page });
    yield* read.events;
    after = read.next;
    end = read.end;
  }
}
