/** The health of a deployment over a window of time, in points that a chart can carry. */
import { slotMs, slotOf } from './record.ts';
import { join, type Span } from './span.ts';
import { noTally, plus, type Tally } from './tally.ts';

/** Times are wall milliseconds; a point stands for what was so from one to the other. */
export interface HealthPoint {
  readonly from: number;
  /** Exclusive. */
  readonly until: number;
  readonly healthy: number;
  readonly unhealthy: number;
  /** The fewest at any time within. */
  readonly leastHealthy: number;
  /** Nobody reported though instances were to run: of none it is known that it was well. */
  readonly silent: boolean;
  readonly tally: Tally;
}

export interface HistoryQuestion {
  /** By revision, without what is older than the last one before the window. */
  readonly spans: readonly Span[];
  /** Without a report for so long nobody knows how an instance is. */
  readonly staleAfterMs: number;
  /** Since when no instance is to run; null: they are. */
  readonly stoppedAt: number | null;
  /** The window: behind `from`, up to `now`. */
  readonly from: number;
  readonly now: number;
  /** Most points. */
  readonly most: number;
}

/** By rising time; every point ends inside the window. */
export function historyOf(question: HistoryQuestion): readonly HealthPoint[] {
  const { from, now, most } = question;
  const points = withSilence(question, ordered(question.spans, now));
  return downsample(
    points.filter(({ until }) => until > from),
    most,
  );
}

/** By the time at which they end. Where clocks went back, two may end at once: they become one. */
function ordered(spans: readonly Span[], now: number): readonly Span[] {
  const sorted = spans
    .filter(({ from }) => from < now)
    .map((span) => ({ ...span, until: Math.min(span.until, now) }))
    .toSorted((a, b) => a.until - b.until || a.after - b.after);
  const distinct: Span[] = [];
  for (const span of sorted) {
    const last = distinct.at(-1);
    if (last?.until === span.until) distinct.splice(-1, 1, join(last, span));
    else distinct.push(span);
  }
  return distinct;
}

/**
 * A point for every slot in which instances were to run and nobody said how they are. After a span that ends without instances, none
 * were; a slot in which the last report was still good is none.
 */
function withSilence(question: HistoryQuestion, spans: readonly Span[]): readonly HealthPoint[] {
  const end = Math.min(question.now, question.stoppedAt ?? question.now);
  return spans.flatMap((span, index) => {
    const point = pointOf(span, question.staleAfterMs);
    if (span.healthy + span.unhealthy === 0) return [point];
    const next = spans[index + 1]?.from ?? end;
    return [point, ...silentSlots(span, next, question)];
  });
}

function silentSlots(
  { until, lastReportAt }: Span,
  next: number,
  { from, staleAfterMs }: HistoryQuestion,
): readonly HealthPoint[] {
  const first = slotOf(Math.max(until, from - slotMs) + slotMs - 1);
  const points: HealthPoint[] = [];
  for (let at = first; at + slotMs <= next; at += slotMs) {
    if (at + slotMs <= lastReportAt + staleAfterMs) continue;
    points.push({
      ...{ from: at, until: at + slotMs, healthy: 0, unhealthy: 0, leastHealthy: 0 },
      ...{ silent: true, tally: noTally },
    });
  }
  return points;
}

/** Where the last report was no longer good at its end, no instance is known to have been well then. */
function pointOf(span: Span, staleAfterMs: number): HealthPoint {
  const { from, until, healthy, unhealthy, leastHealthy, tally } = span;
  const counts =
    until > span.lastReportAt + staleAfterMs
      ? { healthy: 0, unhealthy: 0, leastHealthy: 0 }
      : { healthy, unhealthy, leastHealthy };
  return { from, until, ...counts, tally, silent: false };
}

/**
 * At most so many points, two or more: as they are where they are few enough, else put together by equal stretches of time. Counts of
 * instances are averaged over time, measurements over what was measured.
 * @param points by rising end
 */
export function downsample(points: readonly HealthPoint[], most: number): readonly HealthPoint[] {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || points.length <= most) return points;
  const stretch = slotMs * Math.ceil((last.until - first.until) / slotMs / (most - 1));
  const stretches = new Map<number, HealthPoint[]>();
  for (const point of points) {
    const key = Math.floor((point.until - 1) / stretch);
    const known = stretches.get(key);
    if (known) known.push(point);
    else stretches.set(key, [point]);
  }
  return [...stretches.values()].map(together);
}

function together(points: readonly HealthPoint[]): HealthPoint {
  const duration = points.reduce((sum, { from, until }) => sum + until - from, 0);
  const overTime = (count: (point: HealthPoint) => number): number =>
    Math.round(points.reduce((sum, point) => sum + count(point) * (point.until - point.from), 0) / duration);
  return {
    from: Math.min(...points.map(({ from }) => from)),
    until: Math.max(...points.map(({ until }) => until)),
    healthy: overTime(({ healthy }) => healthy),
    unhealthy: overTime(({ unhealthy }) => unhealthy),
    leastHealthy: Math.min(...points.map(({ leastHealthy }) => leastHealthy)),
    silent: points.every(({ silent }) => silent),
    tally: points.map(({ tally }) => tally).reduce(plus, noTally),
  };
}
