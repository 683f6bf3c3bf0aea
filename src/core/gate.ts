/** Bounds how much costly work goes on at once, and how much waits for it. */

/** Too many wait already; the caller may try again. Faces answer 503. */
export class TooBusy extends Error {
  override readonly name = 'TooBusy';
}

/** Does the work when its turn comes, first come, first served. @throws {TooBusy} */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

export function createGate(limits: { readonly atOnce: number; readonly waiting: number }): Gate {
  const waiting: (() => void)[] = [];
  let free = limits.atOnce;

  return async (work) => {
    if (free > 0) {
      free -= 1;
    } else {
      if (waiting.length >= limits.waiting) throw new TooBusy('too much is asked for at once');
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
    try {
      return await work();
    } finally {
      // The place goes to who waits longest, or becomes free.
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
