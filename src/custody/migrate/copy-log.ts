/** The log of a platform, event by event in its order, into a store that has nothing, or the beginning of it. */
import { setImmediate } from 'node:timers/promises';
import { Refused } from '../../client/api.ts';
import { contentOf } from '../../core/seals/leaf.ts';
import { mayBeShortened } from '../../domain/retention.ts';
import type { RecordedEvent } from '../../ports/event-store.ts';
import type { LogSource, LogTarget } from './ends.ts';
import { eventsOf } from './read.ts';

export interface LeftStream {
  readonly stream: string;
  /** Its last revision. */
  readonly through: number;
  readonly events: number;
}

export interface CopiedLog {
  /** Events that are in the target now. */
  readonly events: number;
  /** Of these, those that an earlier run had brought there. */
  readonly before: number;
  /** Streams that could not go along: retention has taken their beginning, and the target begins every stream at revision 0. */
  readonly left: readonly LeftStream[];
}

/**
 * Compares what is there with the log's beginning, and adds the rest.
 * @param told at first, after each thousand and at the end: how many events were gone through; what it throws ends the copying
 * @throws {Refused} when what is there is not the beginning of this log
 */
export async function copyLog(
  source: LogSource,
  target: LogTarget,
  told: (events: number) => void,
): Promise<CopiedLog> {
  told(0);
  const there = eventsOf(target);
  let next = await there.next();
  const shortened = shortenedStreams(target);
  let [through, events, before] = [0, 0, 0];
  for await (const event of eventsOf(source)) {
    through += 1;
    if (through % 1_000 === 0) {
      told(through);
      // So that signals are heard: SQLite is read and written without waiting.
      await setImmediate();
    }
    if (shortened.has(event)) continue;
    events += 1;
    if (next.done === true) await target.add(event);
    else {
      if (!isSame(next.value, event)) refuse(event, next.value);
      before += 1;
      next = await there.next();
    }
  }
  if (next.done !== true)
    throw new Refused(
      `The target's log holds more than the source's, from ${next.value.stream}@${next.value.revision} on: it was served meanwhile, or is another platform's. Empty it, then begin again.`,
    );
  await target.flush();
  for await (const kept of source.retentions()) {
    const { truncateBefore, ...rest } = kept.retention;
    // A stream that must begin anew would be hidden up to there.
    const keeps = target.takesShortened || truncateBefore === undefined ? kept.retention : rest;
    await target.retain({ ...kept, retention: keeps });
  }
  told(through);
  return { events, before, left: shortened.all() };
}

function isSame(a: RecordedEvent, b: RecordedEvent): boolean {
  return a.stream === b.stream && a.revision === b.revision && contentOf(a) === contentOf(b);
}

function refuse(expected: RecordedEvent, found: RecordedEvent): never {
  throw new Refused(
    `The target's log has ${found.stream}@${found.revision} where the source's has ${expected.stream}@${expected.revision}: it is no beginning of it. Empty the target, then begin again, with --in-flight 1 if it was interrupted on its way.`,
  );
}

/** Finds out which streams have lost their beginning. It remembers only those that may. */
function shortenedStreams({ takesShortened }: LogTarget) {
  const whole = new Set<string>();
  const left = new Map<string, LeftStream>();
  return {
    has({ stream, revision }: RecordedEvent): boolean {
      if (takesShortened || !mayBeShortened(stream) || whole.has(stream)) return false;
      const before = left.get(stream);
      if (revision === 0 && !before) {
        whole.add(stream);
        return false;
      }
      left.set(stream, { stream, through: revision, events: (before?.events ?? 0) + 1 });
      return true;
    },
    all: () => [...left.values()],
  };
}
