/** Rate limits counted in this process, by rate-limiter-flexible; gone with the process. */
import RateLimiterRes from 'rate-limiter-flexible/lib/RateLimiterRes.js';
import RateLimiterStore from 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js';
import type { Clock } from '../../ports/clock.ts';
import type { RateLimits } from '../../ports/rate-limits.ts';

type Time = Pick<Clock, 'now' | 'monotonic'>;

interface Window {
  readonly endsAt: number;
  consumed: number;
}

interface Windows {
  /** The window of a key that is open now; a new one when there is none, which is kept if it `begins`. */
  of(key: string, now: number, begins: boolean): Window;
}

/** The library's own store in memory asks the system for the time, and keeps a timer a key. */
class ClockedLimiter extends RateLimiterStore {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #mostKeys: number;
  readonly #windows = new Map<number, Windows>();

  constructor(clock: Pick<Clock, 'monotonic'>, mostKeys: number) {
    // Whether it was too often is said by the caller's limit, which may change from one request to the next.
    super({ storeClient: null, keyPrefix: '', points: Number.MAX_SAFE_INTEGER, duration: 1 });
    this.#clock = clock;
    this.#mostKeys = mostKeys;
  }

  /** Synchronous up to its answer, and so atomic. */
  async _upsert(key: string, points: number, durationMs: number): Promise<RateLimiterRes> {
    let windows = this.#windows.get(durationMs);
    if (!windows) this.#windows.set(durationMs, (windows = createWindows(durationMs, this.#mostKeys)));
    const now = this.#clock.monotonic();
    const window = windows.of(key, now, points > 0);
    window.consumed = Math.max(0, window.consumed + points);
    return new RateLimiterRes(0, window.endsAt - now, window.consumed);
  }

  _getRateLimiterRes(_key: string, _points: number, result: RateLimiterRes): RateLimiterRes {
    return result;
  }
}

/**
 * Windows of one length. Two generations: every `durationMs`, the older one is dropped whole. What was begun or asked about since
 * then is in the newer, so a window that is still open is not lost, and nothing need be looked for that has ended. Only when more
 * keys are asked about in that time than there is room for, those go that nobody asked about for longest.
 */
function createWindows(durationMs: number, mostKeys: number): Windows {
  let newer = new Map<string, Window>();
  let older = newer;
  let turned = -Infinity;
  return {
    of(key, now, begins) {
      if (now - turned >= durationMs || newer.size >= mostKeys / 2) {
        older = newer;
        newer = new Map();
        turned = now;
      }
      const known = newer.get(key) ?? older.get(key);
      const isOpen = known !== undefined && known.endsAt > now;
      const window = isOpen ? known : { endsAt: now + durationMs, consumed: 0 };
      if (isOpen || begins) newer.set(key, window);
      return window;
    },
  };
}

/** @param options.mostKeys that windows of one length are kept of, default 100,000: about 25 MB */
export async function openMemoryRateLimits({
  clock,
  mostKeys = 100_000,
}: {
  readonly clock: Time;
  readonly mostKeys?: number;
}): Promise<RateLimits> {
  const limiter = new ClockedLimiter(clock, mostKeys);
  return {
    async consume(key, points, { points: limit, seconds }) {
      const { consumedPoints, msBeforeNext } = await limiter.consume(key, points, {
        customDuration: seconds,
      });
      return {
        limit,
        remaining: Math.max(0, limit - consumedPoints),
        resetAt: clock.now() + msBeforeNext,
        allowed: consumedPoints <= limit,
      };
    },
    close: async () => undefined,
  };
}
