/** Time that passes only when a test says so. */
import type { Clock } from '../../src/ports/clock.ts';

export interface VirtualClock extends Clock {
  /**
   * Lets `ms` pass on both clocks, running what falls due in order. After each timer, and once at the start and the end,
   * `settle` is awaited: give it what must come to rest before time goes on (default: one turn of the event loop).
   */
  advance(ms: number, settle?: () => Promise<void>): Promise<void>;
  /** The wall clock steps to `wallMs`; the monotonic one, and with it every timer, does not notice. */
  jump(wallMs: number): void;
  /** The wall clock stands still, until it jumps; the monotonic one goes on. */
  freeze(): void;
  /** How many timers wait. */
  pending(): number;
}

/** @param start wall time, milliseconds since 1970 UTC */
export function createVirtualClock(start = Date.parse('2030-01-01T00:00:00.000Z')): VirtualClock {
  let monotonic = 0;
  let offset = start;
  let frozenAt: number | null = null;
  let timers: { readonly due: number; readonly callback: () => void }[] = [];
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  return {
    // Whole milliseconds, like the system's.
    now: () => Math.round(frozenAt ?? offset + monotonic),
    monotonic: () => monotonic,
    after(delayMs, callback) {
      const timer = { due: monotonic + Math.max(0, delayMs), callback };
      // After those that are due at the same time: first come, first served.
      const index = timers.findIndex((other) => other.due > timer.due);
      timers.splice(index === -1 ? timers.length : index, 0, timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    async advance(ms, settle = turn) {
      const end = monotonic + ms;
      await settle();
      for (let next = timers[0]; next && next.due <= end; next = timers[0]) {
        timers.shift();
        monotonic = Math.max(monotonic, next.due);
        next.callback();
        await settle();
      }
      monotonic = end;
      await settle();
    },
    jump(wallMs) {
      frozenAt = null;
      offset = wallMs - monotonic;
    },
    freeze() {
      frozenAt ??= offset + monotonic;
    },
    pending: () => timers.length,
  };
}
