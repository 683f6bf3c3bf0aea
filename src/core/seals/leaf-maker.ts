/** Makes leaves of what is read through the port of the log: for logs that no other thread can read. */
import { setImmediate } from 'node:timers/promises';
import type { EventStore } from '../../ports/event-store.ts';
import type { LeafMaker, SealLeaves, TreeHead } from '../../ports/seals.ts';
import { leafOf } from './leaf.ts';
import { rootOf } from './merkle.ts';
import { grow, subtreesOf } from './tree.ts';

/** Few enough that a request in between does not wait for milliseconds. */
const eventsAtOnce = 250;

export function createLeafMaker(store: Pick<EventStore, 'readAll'>, leaves: SealLeaves): LeafMaker {
  return {
    async make() {
      let after = leaves.page(leaves.size() - 1, 1)[0]?.position ?? null;
      for (let end = false; !end;) {
        const read = await store.readAll({ after, limit: eventsAtOnce });
        if (read.events.length > 0) grow(leaves, read.events.map(leafOf));
        after = read.next;
        end = read.end;
        if (!end) await setImmediate();
      }
      return treeHeadOf(leaves);
    },
    close: async () => undefined,
  };
}

/** Over all leaves; null: there are none. */
export function treeHeadOf(leaves: Pick<SealLeaves, 'size' | 'page' | 'hashAt'>): TreeHead | null {
  const size = leaves.size();
  const last = leaves.page(size - 1, 1)[0];
  if (!last) return null;
  const root = Buffer.from(rootOf(subtreesOf(leaves), size)).toString('hex');
  return { size, root, position: last.position };
}
