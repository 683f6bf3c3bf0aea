/** The log, or a part of it, into a folder that is not there yet. Nothing acts on it: no process, no webhook, no probe. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { exists, syncFile } from '../adapters/filesystem/durable-copies.ts';
import { syncFolder } from '../adapters/filesystem/durable.ts';
import { lockFolder } from '../adapters/sqlite/folder-lock.ts';
import { type LogImport, openLogImport } from '../adapters/sqlite/log-import.ts';
import { type LogReader, openLogReader } from '../adapters/sqlite/log-reader.ts';
import { Refused } from '../client/api.ts';
import { type EventStore, ForeignPosition, type Position } from '../ports/event-store.ts';
import { refuseTaken } from './new-folder.ts';
import { isPosition, isWhole, type LogPart, openWindow } from './part.ts';
import type { Progress } from './progress.ts';
import { readRecord, recordName, type ReplayRecord, writeRecord } from './replay-record.ts';

export interface ReplayOptions {
  /** The data folder that is read, whether its platform runs or not. */
  readonly data: string;
  /** The folder to be: absent or empty. */
  readonly into: string;
  readonly part: LogPart;
  /** The part as it was typed, by which the same replay is known again. */
  readonly asked: string;
  readonly progress: (progress: Progress) => void;
  /** Ends it early; what was done stays for the next time. */
  readonly signal: AbortSignal;
}

export interface Replayed {
  readonly events: number;
  /** Whether an earlier run had begun it. */
  readonly resumed: boolean;
  /** What is there is not all that there was, and no platform starts on it. */
  readonly isPart: boolean;
}

const page = 1_000;

/**
 * The log gets an identity of its own; events keep their places, revisions and ids. The folder is there when all of it is.
 * @throws {Refused} when it cannot be done, with nothing left; or was ended by `signal`, to be taken up by the same call
 */
export async function replayInto(options: ReplayOptions): Promise<Replayed> {
  const { data, part, asked } = options;
  const into = resolve(options.into);
  await refuseTaken(into, 'a replay makes a folder of its own');
  const log = await openSource(data);
  const unfinished = `${into}.replaying`;
  try {
    await checkBounds(log, part);
    await refuseForeign(unfinished);
    await mkdir(unfinished, { recursive: true, mode: 0o700 });
    const lock = await lockFolder(unfinished);
    try {
      const before = await readRecord(unfinished);
      if (before && (before.log !== log.logId || before.asked !== asked))
        throw new LeftUnfinished(
          `${unfinished} is what another replay left unfinished: repeat that one as it was, or remove the folder.`,
        );
      const record = before ?? {
        ...{ kind: 'slipway replay' as const, log: log.logId, asked, end: await log.head() },
        part: { ...part, streams: [...part.streams], types: [...part.types] },
      };
      if (!before) await writeRecord(unfinished, record);
      const events = await write(log, join(unfinished, 'log.db'), record, options);
      await syncFile(join(unfinished, 'log.db'));
      // As late as can be: what is killed after it is no replay's any more, to whoever begins again.
      if (isWhole(record.part)) await rm(join(unfinished, recordName));
      lock.release();
      await rm(into, { recursive: true, force: true });
      await rename(unfinished, into);
      await syncFolder(dirname(into));
      return { events, resumed: before !== null, isPart: !isWhole(record.part) };
    } catch (error) {
      lock.release();
      if (!(error instanceof LeftUnfinished)) await rm(unfinished, { recursive: true, force: true });
      throw error;
    }
  } finally {
    log.close();
  }
}

/** What an earlier run did stays. */
class LeftUnfinished extends Refused {}

async function write(
  log: LogReader,
  path: string,
  { part, end }: ReplayRecord,
  { progress, signal }: ReplayOptions,
): Promise<number> {
  const made = openLogImport(path);
  try {
    const last = await lastSame(log, made);
    let { count: events } = made;
    const window = openWindow(log, part, part.from === null || last > 0);
    const of = placeIn(end as Position);
    progress({ place: last, of, events });
    for (let at = positionOf(log, last), done = last >= of; !done;) {
      const read = await log.readAll({ after: at, limit: page });
      const upTo = read.events.filter(({ position }) => log.compare(position, end as Position) <= 0);
      for (const event of window.take(upTo)) {
        add(made, event);
        events += 1;
      }
      at = read.next;
      done = read.end || window.over || log.compare(at, end as Position) >= 0;
      progress({ place: Math.min(placeIn(at), of), of, events });
      // So that signals are heard: the log is read without waiting.
      await setImmediate();
      if (signal.aborted && !done)
        throw new LeftUnfinished(
          `Interrupted at ${placeIn(at)} of ${of}: the same command again goes on from there.`,
        );
    }
    if (events === 0) throw new Refused('No event of the log is in this part: nothing was made.');
    // Where all is gone, what is known of a stream's end is known of now, not of an earlier place.
    const isAll = isWhole(part) && part.to === null;
    for (const { last: ended, ...kept } of log.retentions())
      if (isWhole(part) || made.has(kept.stream))
        made.retain(isAll && ended !== undefined ? { ...kept, last: ended } : kept);
    return events;
  } finally {
    made.close();
  }
}

/** The place of the last event that was replayed before, 0 when there is none. */
async function lastSame(log: LogReader, { last }: LogImport): Promise<number> {
  if (!last) return 0;
  const { events } = await log.readAll({ after: positionOf(log, last.place - 1), limit: 1 });
  if (events[0]?.id !== last.id)
    throw new Refused(
      'The log is not the one that the replay had begun with: it was taken back since. What had been replayed is removed; begin again.',
    );
  return last.place;
}

function add(made: LogImport, event: Awaited<ReturnType<LogReader['readAll']>>['events'][number]): void {
  try {
    made.add({ ...event, place: placeIn(event.position) });
  } catch (error) {
    if (error instanceof RangeError)
      throw new Refused(
        `${event.position} cannot be replayed: ${error.message}. A part takes whole streams, from a place to a place: choose other types or another tenant. Nothing was made.`,
      );
    throw error;
  }
}

/** @throws {Refused} when there is something that no replay left */
async function refuseForeign(unfinished: string): Promise<void> {
  if (!(await exists(unfinished)) || (await readRecord(unfinished))) return;
  const names = await readdir(unfinished);
  // Until the record is there, only the lock is, or a file on the way to becoming the record.
  if (names.some((name) => !name.startsWith('lock.sqlite') && !name.startsWith(recordName)))
    throw new Refused(`${unfinished} is in the way, and is of no replay: move it elsewhere.`);
}

async function openSource(data: string): Promise<LogReader> {
  const path = join(data, 'log.db');
  if (!(await exists(path)))
    throw new Refused(`There is no log in ${data}: --data names the data folder of a platform.`);
  return openLogReader(path);
}

/** @throws {Refused} when a position is none of this log */
export async function checkBounds(
  log: Pick<EventStore, 'head' | 'compare'>,
  { from, to }: LogPart,
): Promise<void> {
  const head = await log.head();
  for (const place of [from, to]) {
    if (place === null || !isPosition(place)) continue;
    try {
      if (log.compare(place, head) > 0) throw new Refused(`The log ends at ${head}, before ${place}.`);
    } catch (error) {
      if (error instanceof ForeignPosition) throw new Refused(`${error.message}.`);
      throw error;
    }
  }
}

export function placeIn(position: Position): number {
  return Number(position.slice(position.lastIndexOf(':') + 1));
}

function positionOf({ logId }: Pick<EventStore, 'logId'>, place: number): Position {
  return `${logId}:${place}` as Position;
}
