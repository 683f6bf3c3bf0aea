/** Reading what one has written: how long a question waits for the read models. */
import type { Position } from '../ports/event-store.ts';
import type { Projector } from './projector.ts';
import { createShared } from './waiting.ts';
import { LRUCache } from 'lru-cache';

export interface Consistency {
  /** A command of the principal reached this position. */
  reached(principal: string, position: Position): void;
  /**
   * Waits before a question is asked.
   * @param question.position what the caller asked for by `X-Position`: up to 2 s, then {NotThereYet}. Without it, up to
   *   200 ms for what the principal reached last, or for all that was in the log before the question; `stale` says that this was not
   *   enough (`X-Stale`)
   * @throws {ForeignPosition} when the position is not of this log
   */
  wait(question: {
    readonly principal: string;
    readonly projections: readonly string[] | 'all';
    readonly position?: Position | null;
  }): Promise<{ readonly stale: boolean }>;
}

/** The read models have not come as far as the caller asked. Faces answer 503. */
export class NotThereYet extends Error {
  override readonly name = 'NotThereYet';
}

const askedMs = 2_000;
const unaskedMs = 200;

/**
 * @param options.principals how many are remembered, default 10,000
 * @param options.head where the log ends, which is waited for where other processes take commands too; absent: none does
 */
export function createConsistency(options: {
  readonly projector: Pick<Projector, 'waitFor'>;
  readonly compare: (a: Position, b: Position) => number;
  readonly principals?: number;
  readonly head?: () => Promise<Position>;
}): Consistency {
  const { projector, compare } = options;
  // Those who ask at once are told the same.
  const head = options.head && createShared(options.head);
  const last = new LRUCache<string, Position>({ max: options.principals ?? 10_000 });
  return {
    reached(principal, position) {
      const known = last.get(principal);
      if (!known || compare(known, position) < 0) last.set(principal, position);
    },
    async wait({ principal, projections, position }) {
      if (position) {
        if (await projector.waitFor(projections, position, askedMs)) return { stale: false };
        throw new NotThereYet(`the read models have not reached ${position} yet`);
      }
      const known = head ? await head() : last.get(principal);
      if (!known) return { stale: false };
      return { stale: !(await projector.waitFor(projections, known, unaskedMs)) };
    },
  };
}
