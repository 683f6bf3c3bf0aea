/** How often something was done lately, counted where all processes that serve can see it. */

export interface RateLimit {
  /** So many in a window; 0 allows none. */
  readonly points: number;
  /** How long a window lasts, in whole seconds. */
  readonly seconds: number;
}

export interface Consumed {
  /** The points of the limit asked about. */
  readonly limit: number;
  /** What is left in the window, at least 0. */
  readonly remaining: number;
  /** When the window ends, milliseconds since 1970 UTC. From then on all points are free again. */
  readonly resetAt: number;
  readonly allowed: boolean;
}

export interface RateLimits {
  /**
   * Counts, at once for all who ask at the same time: of two that race for the last point, one is allowed. A window begins with
   * its first request, and what is refused does not prolong it. The same key with windows of another length is another count.
   * @param points 0 tells how things stand; less gives back what was counted, down to nothing
   */
  consume(key: string, points: number, limit: RateLimit): Promise<Consumed>;
  close(): Promise<void>;
}
