/**
 * A while of a deployment's health, and the record of the newest ones: by minutes what is fresh, and what no summary covers yet. A span
 * is a run of consecutive reports that were received within it; it is named by the revisions of the reports, so nothing counts twice
 * whatever the clocks did.
 */
import { join, type Span } from './span.ts';
import { minus, type Tally } from './tally.ts';

export const minuteMs = 60_000;
/** What one summary covers (design: every five minutes). */
export const slotMs = 5 * minuteMs;

export interface HealthRecord {
  /** By revision. All but the last are as they will ever be. */
  readonly spans: readonly Span[];
  /** Revision of the last report that a summary covers; -1: none. */
  readonly summarisedThrough: number;
  /** Since when no instance is to run, wall milliseconds; null: they are, or never were. */
  readonly stoppedAt: number | null;
}

export const noRecord: HealthRecord = { spans: [], summarisedThrough: -1, stoppedAt: null };

/** What a batch of reports told. */
export interface Batch {
  /** When it was received, wall milliseconds. */
  readonly at: number;
  readonly revision: number;
  readonly healthy: number;
  readonly unhealthy: number;
  readonly tally: Tally;
}

/** Kept by minutes, for what is shown as current. */
const fresh = 5;
/** Slots that wait for their summary; beyond that the two oldest become one. More than one is rare: a platform that was held up. */
const mostWaiting = 24;

export function recorded(record: HealthRecord, batch: Batch): HealthRecord {
  const last = record.spans.at(-1);
  const goesOn = last && isWaiting(record, last) ? continued(last, batch) : null;
  const after = knownThrough(record);
  const spans = goesOn ? [...record.spans.slice(0, -1), goesOn] : [...record.spans, minuteOf(batch, after)];
  return { ...record, spans: pruned(record, spans), stoppedAt: null };
}

/** The last report that is known of, by revision; -1: none is. */
function knownThrough({ spans, summarisedThrough }: HealthRecord): number {
  return Math.max(spans.at(-1)?.through ?? -1, summarisedThrough);
}

/**
 * By how much the revisions of reports are counted on. The stream of a deployment begins anew where its log was moved to a store that could
 * not take it along; summaries, which did go along, name revisions that it had before.
 * @param before what it was @param revision of a report that follows everything in the record
 */
export function countedOn(record: HealthRecord, before: number, revision: number): number {
  const through = knownThrough(record);
  return revision + before > through ? before : through + 1 - revision;
}

function minuteOf({ at, revision, healthy, unhealthy, tally }: Batch, after: number): Span {
  const from = at - (at % minuteMs);
  return {
    ...{ from, until: from + minuteMs, lastReportAt: at, after, through: revision },
    ...{ healthy, unhealthy, leastHealthy: healthy, tally },
  };
}

/** The minute that goes on with a batch; null when the batch begins another. */
export function continued(open: Span, batch: Batch): Span | null {
  const same = open.until - open.from === minuteMs && batch.at >= open.from && batch.at < open.until;
  return same ? join(open, minuteOf(batch, open.through)) : null;
}

/**
 * The minute that goes on, apart from the rest: it alone changes with every report, and a record of it is kept by itself. Null when
 * nothing waits, or when what comes next begins anew.
 */
export function apart(record: HealthRecord): { readonly rest: HealthRecord; readonly open: Span | null } {
  const last = record.spans.at(-1);
  if (!last || !isWaiting(record, last) || record.stoppedAt !== null) return { rest: record, open: null };
  return { rest: { ...record, spans: record.spans.slice(0, -1) }, open: last };
}

/** @param open what was kept apart; it may be older than the rest, which then has it */
export function together(rest: HealthRecord, open: Span | null): HealthRecord {
  return open && open.after >= knownThrough(rest) ? { ...rest, spans: [...rest.spans, open] } : rest;
}

/** No instance is to run any more, from a moment on (wall milliseconds): what follows is no silence. */
export function stopped(record: HealthRecord, at: number): HealthRecord {
  const last = record.spans.at(-1);
  const spans =
    last && isWaiting(record, last)
      ? [...record.spans.slice(0, -1), { ...last, healthy: 0, unhealthy: 0, leastHealthy: 0 }]
      : record.spans;
  return { ...record, spans, stoppedAt: at };
}

/** Takes note of a summary. What grew while it was written keeps the part that the summary does not have. */
export function summarised(
  record: HealthRecord,
  summary: Pick<Span, 'after' | 'through' | 'tally'>,
): HealthRecord {
  const { through } = summary;
  if (through <= record.summarisedThrough) return record;
  let told = summary.tally;
  const spans = record.spans.map((span) => {
    if (span.after < summary.after || span.after >= through) return span;
    if (span.through > through) return { ...span, after: through, tally: minus(span.tally, told) };
    told = minus(told, span.tally);
    return span;
  });
  const known = { ...record, summarisedThrough: through };
  return { ...known, spans: pruned(known, spans) };
}

function isWaiting({ summarisedThrough }: HealthRecord, span: Span): boolean {
  return span.through > summarisedThrough;
}

/** Forgets what a summary has and nobody looks at; puts together what waits and is no longer fresh. */
function pruned(record: HealthRecord, spans: readonly Span[]): readonly Span[] {
  if (spans.length <= fresh) return spans;
  const older: Span[] = [];
  for (const span of spans.slice(0, -fresh)) {
    if (!isWaiting(record, span)) continue;
    const last = older.at(-1);
    if (last && slotOf(last.from) === slotOf(span.from)) older.splice(-1, 1, join(last, span));
    else older.push(span);
  }
  const [first, second, ...rest] = older;
  const kept = older.length > mostWaiting && first && second ? [join(first, second), ...rest] : older;
  return [...kept, ...spans.slice(-fresh)];
}

/** When the slot began that a time (wall milliseconds) lies in. */
export function slotOf(ms: number): number {
  return ms - (ms % slotMs);
}

/**
 * The slots that wait for their summary and are as they will ever be, each as one span from its start to its end. A slot is over when a
 * report of another was received, or, where everything has fallen silent, when another slot has passed.
 */
export function slotsToSummarise(record: HealthRecord, nowMs: number): readonly Span[] {
  const due = summaryDueAt(record);
  if (due === null || due > nowMs) return [];
  const slots: Span[] = [];
  for (const span of record.spans.filter((one) => isWaiting(record, one))) {
    const last = slots.at(-1);
    const whole = { ...span, from: slotOf(span.from), until: slotOf(span.until - 1) + slotMs };
    if (last?.from === whole.from) slots.splice(-1, 1, join(last, whole));
    else slots.push(whole);
  }
  const newest = slots.at(-1);
  return newest && newest.until + slotMs > nowMs ? slots.slice(0, -1) : slots;
}

/** When a slot can be summarised, wall milliseconds; null: none waits. */
export function summaryDueAt(record: HealthRecord): number | null {
  const waiting = record.spans.filter((span) => isWaiting(record, span));
  const [first, newest] = [waiting[0], waiting.at(-1)];
  if (!first || !newest) return null;
  const over = slotOf(first.from) !== slotOf(newest.from);
  return over ? newest.from : slotOf(newest.from) + 2 * slotMs;
}

/** What was measured lately: within five minutes before the last report. */
export function latest({ spans }: HealthRecord): readonly Span[] {
  const end = spans.at(-1)?.until ?? 0;
  return spans.filter(({ from, until }) => from >= end - slotMs && until <= end);
}
