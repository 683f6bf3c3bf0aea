/**
 * Rate limits in MongoDB: a document for each key and length of window, counted in one step, by the server's own clock, so that all
 * processes count alike. (rate-limiter-flexible's store for MongoDB goes by the clock of each process.)
 */
import type { Collection } from 'mongodb';
import type { Clock } from '../../ports/clock.ts';
import type { RateLimits } from '../../ports/rate-limits.ts';
import type { MongoConnection } from './connection.ts';
import { CODES, hasCode } from './errors.ts';
import { whileOpen } from './while-open.ts';

interface WindowDocument {
  readonly _id: string;
  readonly consumed: number;
  /** Null: it has yet to begin. */
  readonly endsAt: Date | null;
  /** When it was asked last: says how long the window still is without a look at another clock. */
  readonly askedAt: Date;
}

/** Without an end, so that it is not removed before it begins. */
const none = { consumed: 0, endsAt: null, askedAt: new Date(0) };

/** @param options.clock instead of the server's for windows, for tests */
export async function openMongoRateLimits({
  connection,
  clock,
  windowsBy,
}: {
  readonly connection: Pick<MongoConnection, 'asking'>;
  /** Times that are told are this clock's. */
  readonly clock: Pick<Clock, 'now'>;
  readonly windowsBy?: Pick<Clock, 'now'>;
}): Promise<RateLimits> {
  const end = whileOpen(connection, 'the store of rate limits');
  const within = <T>(ask: (windows: Collection<WindowDocument>) => Promise<T>): Promise<T> =>
    end.asking((db) => ask(db.collection<WindowDocument>('rate_limits')));
  // What has ended goes by itself.
  await within((windows) => windows.createIndex({ endsAt: 1 }, { expireAfterSeconds: 0 }, {}));

  function counted(points: number, durationMs: number): object[] {
    const isOpen = { $gt: [{ $ifNull: ['$endsAt', new Date(0)] }, '$askedAt'] };
    const more = { $max: [0, { $add: ['$consumed', points] }] };
    // The time is noted first: not every server knows it within conditions.
    return [
      { $set: { askedAt: windowsBy ? new Date(windowsBy.now()) : '$$NOW' } },
      {
        $set: {
          ...(points > 0
            ? {
                consumed: { $cond: [isOpen, more, points] },
                endsAt: { $cond: [isOpen, '$endsAt', { $add: ['$askedAt', durationMs] }] },
              }
            : { consumed: { $cond: [isOpen, more, '$consumed'] } }),
        },
      },
    ];
  }

  /** Null: no window is open, and nothing begins one. */
  async function count(
    windows: Collection<WindowDocument>,
    _id: string,
    points: number,
    durationMs: number,
  ): Promise<WindowDocument | null> {
    const update = counted(points, durationMs);
    const returned = { returnDocument: 'after' } as const;
    if (points <= 0) {
      const found = await windows.findOneAndUpdate({ _id }, update, returned);
      return found?.endsAt && found.endsAt > found.askedAt ? found : null;
    }
    const found = await windows.findOneAndUpdate({ _id }, update, returned);
    if (found) return found;
    // No upsert: of two at once, some servers let the second overwrite the first.
    await windows.insertOne({ _id, ...none }).catch((error: unknown) => {
      if (!hasCode(error, CODES.duplicateKey)) throw error;
    });
    return windows.findOneAndUpdate({ _id }, update, returned);
  }

  return {
    consume: (key, points, { points: limit, seconds }) =>
      within(async (windows) => {
        const durationMs = seconds * 1_000;
        const window = await count(windows, `${seconds} ${key}`, points, durationMs);
        const leftMs = window?.endsAt ? window.endsAt.getTime() - window.askedAt.getTime() : durationMs;
        const consumed = window?.consumed ?? 0;
        return {
          limit,
          remaining: Math.max(0, limit - consumed),
          resetAt: clock.now() + leftMs,
          allowed: consumed <= limit,
        };
      }),
    close: () => end.close(),
  };
}
