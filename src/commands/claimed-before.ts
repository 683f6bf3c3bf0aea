import type { DeploymentId, SlotKey } from '../domain/ids.ts';
import type { EventStore, Position, RecordedEvent } from '../ports/event-store.ts';

const pageSize = 100;

/** Whether a deployment claimed its slot before a position of the log, by its last claim. */
export async function claimedBefore(
  store: Pick<EventStore, 'readStream' | 'compare'>,
  key: SlotKey,
  deploymentId: DeploymentId,
  mark: Position,
): Promise<boolean> {
  for await (const { type, data, position } of backwards(store, `slot-${key}`)) {
    const claims = type === 'SlotClaimed' || type === 'SuccessorClaimed';
    if (claims && data['deploymentId'] === deploymentId) return store.compare(position, mark) < 0;
  }
  throw new Error(`nobody claimed slot ${key} for ${deploymentId}`);
}

/** A stream from its end. */
export async function* backwards(
  store: Pick<EventStore, 'readStream'>,
  stream: string,
): AsyncGenerator<RecordedEvent, void> {
  let page = await store.readStream(stream, { direction: 'backwards', limit: pageSize });
  for (;;) {
    yield* page;
    const oldest = page.at(-1);
    if (!oldest || oldest.revision === 0) return;
    page = await store.readStream(stream, {
      from: oldest.revision - 1,
      direction: 'backwards',
      limit: pageSize,
    });
  }
}
