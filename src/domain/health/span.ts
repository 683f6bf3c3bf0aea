/** Spans of a deployment's health, and how consecutive ones make a longer one. */
import { plus, type Tally } from './tally.ts';

export interface Span {
  /** Wall milliseconds, inclusive. */
  readonly from: number;
  /** Exclusive. */
  readonly until: number;
  /** When the last of its reports was received. */
  readonly lastReportAt: number;
  /** The reports it counts, by revisions of the health stream: behind `after`, up to `through`. */
  readonly after: number;
  readonly through: number;
  /** Instances at its end. */
  readonly healthy: number;
  readonly unhealthy: number;
  /** The fewest at any time within. */
  readonly leastHealthy: number;
  readonly tally: Tally;
}

/** @param b whose reports follow those of a */
export function join(a: Span, b: Span): Span {
  return {
    from: Math.min(a.from, b.from),
    until: Math.max(a.until, b.until),
    lastReportAt: Math.max(a.lastReportAt, b.lastReportAt),
    after: a.after,
    through: b.through,
    healthy: b.healthy,
    unhealthy: b.unhealthy,
    leastHealthy: Math.min(a.leastHealthy, b.leastHealthy),
    tally: plus(a.tally, b.tally),
  };
}
