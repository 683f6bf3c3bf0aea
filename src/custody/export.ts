/** The log as a file that other programs read, and that another platform can take: a line for each event, in order. */
import { createHash } from 'node:crypto';
import type { KeptStream } from '../adapters/sqlite/log-reader.ts';
import { redactedObject } from '../audit/redaction.ts';
import type { EventFilter, EventStore, RecordedEvent } from '../ports/event-store.ts';

export const exportFormat = 1;

export interface ExportOptions {
  readonly format: 'ndjson' | 'csv';
  readonly redact: boolean;
  /** Streams that begin so. */
  readonly streams: readonly string[];
  readonly types: readonly string[];
  readonly tenant: string | null;
  /** By when events say that they happened, milliseconds; both inclusive. */
  readonly from: number | null;
  readonly to: number | null;
}

/** How far, after every page. */
type Progress = (events: number) => void;

const page = 1_000;

/** A log, and what its streams keep that do not keep everything. */
export interface ExportedLog extends Pick<EventStore, 'logId' | 'readAll'> {
  retentions(): AsyncIterable<KeptStream> | Iterable<KeptStream>;
}

/** Lines, each with its end. What is not everything says so in its first line, and cannot be imported. */
export async function* exported(
  log: ExportedLog,
  options: ExportOptions,
  progress: Progress,
): AsyncGenerator<string> {
  let events = 0;
  const hash = createHash('sha256');
  const csv = options.format === 'csv';
  const told = (line: string): string => {
    hash.update(line);
    return line;
  };
  if (csv) yield `${columns.join(',')}\r\n`;
  else {
    yield told(
      lineOf({
        kind: 'slipway export',
        format: exportFormat,
        log: log.logId,
        redacted: options.redact,
        filtered: isFiltered(options),
      }),
    );
    if (!isFiltered(options)) for await (const kept of log.retentions()) yield told(lineOf(kept));
  }
  for await (const found of pages(log, options)) {
    for (const event of found) {
      const shown = options.redact ? redactedEvent(event) : event;
      yield csv ? csvLine(shown) : told(lineOf(shown));
      events += 1;
    }
    progress(events);
  }
  if (!csv) yield lineOf({ kind: 'end', events, sha256: hash.digest('hex') });
}

export function isFiltered({ streams, types, tenant, from, to }: ExportOptions): boolean {
  return streams.length + types.length > 0 || tenant !== null || from !== null || to !== null;
}

async function* pages(
  log: Pick<EventStore, 'readAll'>,
  options: ExportOptions,
): AsyncGenerator<readonly RecordedEvent[]> {
  const { streams, types, tenant, from, to } = options;
  const filter: EventFilter = {
    ...(streams.length > 0 && { streamPrefixes: streams }),
    ...(types.length > 0 && { types }),
  };
  const wanted = ({ metadata }: RecordedEvent): boolean => {
    const at = Date.parse(metadata.at);
    return (
      (tenant === null || metadata.tenant === tenant) &&
      !(from !== null && at < from) &&
      !(to !== null && at > to)
    );
  };
  let after = null;
  for (let end = false; !end;) {
    const read = await log.readAll({ after, filter, limit: page });
    yield read.events.filter(wanted);
    after = read.next;
    end = read.end;
  }
}

function redactedEvent(event: RecordedEvent): RecordedEvent {
  return { ...event, data: redactedObject(event.data) };
}

function lineOf(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

const columns = [
  ...['position', 'stream', 'revision', 'id', 'type', 'at', 'tenant'],
  ...['actor', 'face', 'correlationId', 'causationId', 'schema', 'data'],
];

/** RFC 4180. `data` is JSON. */
function csvLine({ position, stream, revision, id, type, data, metadata }: RecordedEvent): string {
  const { at, tenant, actor, correlationId, causationId, schema } = metadata;
  const cells = [
    position,
    stream,
    revision,
    id,
    type,
    at,
    tenant,
    actor.id,
    actor.face,
    correlationId,
    causationId,
    schema,
  ];
  return `${[...cells, JSON.stringify(data)].map(cell).join(',')}\r\n`;
}

function cell(value: string | number | null): string {
  const text = String(value ?? '');
  // A spreadsheet would run what begins so.
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value === 'string' ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
