/**
 * The leaves of a log, at the places that its events have in another store. A leaf does not say where its event lies, so the tree and
 * all signed heads over it stay what they were.
 */
import { setImmediate } from 'node:timers/promises';
import { Refused } from '../../client/api.ts';
import { leafOf } from '../../core/seals/leaf.ts';
import { equal, rootOf } from '../../core/seals/merkle.ts';
import type { Lineage } from '../../core/seals/move.ts';
import { grow, subtreesOf } from '../../core/seals/tree.ts';
import { mayHaveExpired } from '../../domain/retention.ts';
import type { Position, RecordedEvent } from '../../ports/event-store.ts';
import type { Leaf, NewLeaf, SealLeaves, SignedHead } from '../../ports/seals.ts';
import type { LeftStream } from './copy-log.ts';
import type { LogTarget } from './ends.ts';
import { eventsOf } from './read.ts';

const page = 500;

/**
 * Reads the target back and compares it, event by event, with what was sealed of the source.
 * @param made has no leaves yet
 * @param left streams that did not go along @param before whose events may be gone since earlier moves
 * @param told after each thousand; what it throws ends the reading
 * @returns how many events are in the target
 * @throws {Refused} when something is missing, changed, or out of order
 */
export async function carrySeals(
  from: Pick<SealLeaves, 'page'>,
  target: LogTarget,
  made: SealLeaves,
  gone: {
    readonly left: readonly LeftStream[];
    readonly before: Lineage;
    readonly nowMs: number;
  },
  told: (events: number) => void,
): Promise<number> {
  const left = new Map(gone.left.map(({ stream, through }) => [stream, through]));
  const mayBeGone = (leaf: Leaf): boolean =>
    leaf.revision <= (left.get(leaf.stream) ?? -1) ||
    gone.before.leftBehind(leaf) ||
    mayHaveExpired(leaf.stream, leaf.at, gone.nowMs);
  let fresh: NewLeaf[] = [];
  const add = (leaf: NewLeaf): void => {
    fresh.push(leaf);
    if (fresh.length < page) return;
    grow(made, fresh);
    fresh = [];
  };
  // A gone leaf has the place of the event before it: a store can be asked for what comes behind it.
  let last = `${target.logId}:0` as Position;
  const sealed = leavesOf(from);
  let leaf = sealed.next();
  const miss = (missed: Leaf, found: RecordedEvent | null): void => {
    if (!mayBeGone(missed)) refuse(missed, found);
    add({ ...missed, position: last });
    leaf = sealed.next();
  };
  let events = 0;
  for await (const event of eventsOf(target)) {
    events += 1;
    if (events % 1_000 === 0) {
      told(events);
      await setImmediate();
    }
    const arrived = leafOf(event);
    while (leaf.done !== true && !isOf(leaf.value, arrived)) miss(leaf.value, event);
    last = event.position;
    add(arrived);
    if (leaf.done !== true) leaf = sealed.next();
  }
  while (leaf.done !== true) miss(leaf.value, null);
  if (fresh.length > 0) grow(made, fresh);
  told(events);
  return events;
}

function isOf(leaf: Leaf, { stream, revision, hash }: NewLeaf): boolean {
  return leaf.stream === stream && leaf.revision === revision && equal(leaf.hash, hash);
}

function* leavesOf(leaves: Pick<SealLeaves, 'page'>): Generator<Leaf, undefined> {
  for (let from = 0; ;) {
    const found = leaves.page(from, page);
    yield* found;
    from += found.length;
    if (found.length < page) return;
  }
}

function refuse({ stream, revision }: Leaf, found: RecordedEvent | null): never {
  const instead = found ? `${found.stream}@${found.revision} is` : 'nothing is';
  throw new Refused(
    `The target's log is not what was sealed: ${stream}@${revision} is missing or changed, ${instead} in its place. Empty the target, then begin again.`,
  );
}

/** @throws {Refused} when the tree is not the one that the head has sealed */
export function checkHead(made: SealLeaves, head: SignedHead | null): void {
  if (!head) return;
  const root = Buffer.from(rootOf(subtreesOf(made), head.size)).toString('hex');
  if (root !== head.root)
    throw new Refused(
      `The target's log is not what the head of ${head.at} has sealed. Empty the target, then begin again.`,
    );
}
