/** Times of a log that was moved: its store knows when it stored an event, a leaf when the event happened. */
import type { EventStore, Position } from '../../ports/event-store.ts';
import type { SealLeaves, SignedMove } from '../../ports/seals.ts';

/** @param leaves of the log; opened when first asked for */
export function withFormerTimes(
  store: EventStore,
  moves: readonly SignedMove[],
  leaves: () => Promise<Pick<SealLeaves, 'page'>>,
): EventStore {
  const move = moves.find(({ to }) => to === store.logId);
  if (!move) return store;
  const movedAt = Date.parse(move.at);
  return {
    ...store,
    positionAt: async (at) =>
      at >= movedAt ? store.positionAt(at) : placeAt(at, move.size, store.logId, await leaves()),
  };
}

/** Halving, as the port says: where the clock was set back it is one of the places at which the log showed that time. */
function placeAt(at: number, size: number, logId: string, leaves: Pick<SealLeaves, 'page'>): Position {
  let [low, high] = [0, size];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const leaf = leaves.page(middle, 1)[0];
    if (leaf && Date.parse(leaf.at) <= at) low = middle + 1;
    else high = middle;
  }
  const last = low === 0 ? undefined : leaves.page(low - 1, 1)[0];
  return last?.position ?? (`${logId}:0` as Position);
}
