/** The machine's own time. */
import type { Clock } from '../ports/clock.ts';

/** The longest delay that `setTimeout` keeps; a longer one would fire at once. */
const longest = 2 ** 31 - 1;

export function createSystemClock(): Clock {
  return {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    after(delayMs, callback) {
      const due = performance.now() + delayMs;
      let timer: NodeJS.Timeout;
      const wait = (): void => {
        const rest = due - performance.now();
        timer = rest > longest ? setTimeout(wait, longest) : setTimeout(callback, Math.max(0, rest));
      };
      wait();
      return () => clearTimeout(timer);
    },
  };
}
