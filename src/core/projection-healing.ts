/** What was parked is applied after all, once what was wrong has been mended. */
import type { EventStore, RecordedEvent } from '../ports/event-store.ts';
import type { Parked } from './projection-bookmark.ts';
import type { BatchDocuments } from './projection-documents.ts';
import type { ProjectionLedger } from './projection-ledger.ts';

/**
 * Applies what a parked stream has, up to where the projection stands, in one transaction. What fails again stays parked, from
 * there on.
 * @param by.attempt applies an event to the documents; @returns what went wrong
 * @returns whether nothing of the stream is parked any more
 */
export async function heal(
  entry: Parked,
  by: {
    readonly store: EventStore;
    readonly ledger: ProjectionLedger;
    readonly types: readonly string[];
    readonly documents: BatchDocuments;
    readonly attempt: (event: RecordedEvent) => Promise<string | null>;
  },
): Promise<boolean> {
  const { store, ledger, types, documents, attempt } = by;
  const at = ledger.position;
  if (at === null) return false;
  let failed: Parked | null = null;
  for await (const event of eventsFrom(store, entry)) {
    if (!types.includes(event.type)) continue;
    if (store.compare(event.position, at) > 0) break;
    const error = await attempt(event);
    const { id: eventId, type, revision } = event;
    if (error !== null) failed = { ...entry, revision, eventId, type, error, tries: entry.tries + 1 };
    if (failed) break;
  }
  const before = ledger.troubles;
  const others = before.parked.filter(({ stream }) => stream !== entry.stream);
  try {
    ledger.troubles = { ...before, parked: failed ? [...others, failed] : others };
    await ledger.commit(documents, at, null);
  } catch (error) {
    ledger.troubles = before;
    throw error;
  }
  return !failed;
}

async function* eventsFrom(store: EventStore, { stream, revision }: Parked): AsyncGenerator<RecordedEvent> {
  for (let from = revision; ;) {
    const page = await store.readStream(stream, { from, limit: 500 });
    yield* page;
    const last = page.at(-1);
    if (!last) return;
    from = last.revision + 1;
  }
}
