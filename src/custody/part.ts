/** A part of the log: from a place to a place, and of that what somebody asks for. */
import { type Command, InvalidArgumentError } from 'commander';
import { parsePlace } from '../audit-client/time.ts';
import type { EventStore, RecordedEvent } from '../ports/event-store.ts';

export interface LogPart {
  /** Streams that begin so; none: all. */
  readonly streams: readonly string[];
  /** None: all. */
  readonly types: readonly string[];
  readonly tenant: string | null;
  /**
   * A position, or a time as ISO 8601; both inclusive. A time is the place of the first event that says it happened then or later;
   * or before the first that says it happened later: so that a clock that was set back tears no stream.
   */
  readonly from: string | null;
  readonly to: string | null;
}

/** As options of a command. */
export interface PartOptions {
  readonly stream?: readonly string[];
  readonly type?: readonly string[];
  readonly tenant?: string;
  readonly from?: string;
  readonly to?: string;
}

/** @param text separated by commas @throws {InvalidArgumentError} when it names nothing: that would be all */
function parseList(text: string): readonly string[] {
  const parts = text.split(',').filter((part) => part !== '');
  if (parts.length === 0) throw new InvalidArgumentError('must name at least one, separated by commas');
  return parts;
}

/** Which events, wherever they stand. */
export function withWhoseOptions(command: Command): Command {
  return command
    .option(
      '--stream <beginnings>',
      'only streams that begin so, separated by commas: tenant-acme,deployment-',
      parseList,
    )
    .option('--type <types>', 'only these types, separated by commas', parseList)
    .option('--tenant <id>', 'only facts of this tenant');
}

export function withPartOptions(command: Command, now: () => number): Command {
  const place = (text: string): string => parsePlace(text, now());
  return withWhoseOptions(command)
    .option('--from <place>', 'not before a position, 2025-11-23T03:10:00Z, or ago: 90s, 30m, 12h, 7d', place)
    .option('--to <place>', 'not after', place);
}

export function partOf({ stream = [], type = [], tenant, from, to }: PartOptions): LogPart {
  return { streams: stream, types: type, tenant: tenant ?? null, from: from ?? null, to: to ?? null };
}

/** Whether it is the log from its beginning, with everything: whoever reads it misses nothing up to its end. */
export function isWhole({ streams, types, tenant, from }: LogPart): boolean {
  return streams.length + types.length === 0 && tenant === null && from === null;
}

export interface PartWindow {
  /** Those of the next page, in the order of the log, that are in the part. */
  take(events: readonly RecordedEvent[]): readonly RecordedEvent[];
  /** Nothing later is in the part. */
  readonly over: boolean;
}

/** @param started whether the part began before what is taken first */
export function openWindow(
  log: Pick<EventStore, 'compare'>,
  { streams, types, tenant, from, to }: LogPart,
  started = from === null,
): PartWindow {
  const [fromPlace, toPlace] = [bound(log, from), bound(log, to)];
  const ofTypes = new Set(types);
  let begun = started;
  let over = false;
  const isIn = ({ stream, type, metadata }: RecordedEvent): boolean =>
    (streams.length === 0 || streams.some((beginning) => stream.startsWith(beginning))) &&
    (ofTypes.size === 0 || ofTypes.has(type)) &&
    (tenant === null || metadata.tenant === tenant);
  return {
    get over() {
      return over;
    },
    take(events) {
      const taken: RecordedEvent[] = [];
      for (const event of events) {
        over ||= toPlace(event) > 0;
        if (over) break;
        begun ||= fromPlace(event) >= 0;
        if (begun && isIn(event)) taken.push(event);
      }
      return taken;
    },
  };
}

/** Negative: the event is before the bound; positive: behind it. */
function bound(log: Pick<EventStore, 'compare'>, place: string | null): (event: RecordedEvent) => number {
  if (place === null) return () => 0;
  if (isPosition(place)) return ({ position }) => log.compare(position, place);
  const at = Date.parse(place);
  return ({ metadata }) => Date.parse(metadata.at) - at;
}

export function isPosition(place: string): place is RecordedEvent['position'] {
  return /^[0-9a-f-]{36}:\d{1,15}$/.test(place);
}
