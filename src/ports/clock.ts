/** Time comes from here alone, so that days can pass in a test in a second. */
export interface Clock {
  /** Wall time, milliseconds since 1970 UTC. May jump. */
  now(): number;
  /** Milliseconds that only ever grow, from an arbitrary start; they do not survive the process. */
  monotonic(): number;
  /** Calls back once, `delayMs` from now on the monotonic clock. @returns a function that cancels it */
  after(delayMs: number, callback: () => void): () => void;
}
