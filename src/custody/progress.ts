/** How far long work on the log is, and how fast, for who looks on. */
import type { Clock } from '../ports/clock.ts';

export interface Progress {
  /** Places of the log that were gone through, of how many. */
  readonly place: number;
  readonly of: number;
  /** Events that were taken, all together. */
  readonly events: number;
}

export interface Teller {
  tell(progress: Progress): void;
  /** Once more where it stands, in a line of its own. */
  end(): void;
}

const everyMs = { line: 200, lines: 5_000 } as const;

/**
 * On a terminal one line that is written again and again; elsewhere, in a log say, a line every five seconds.
 * @param write to standard error
 */
export function openTeller(options: {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly isTerminal: boolean;
  readonly write: (text: string) => void;
}): Teller {
  const { clock, isTerminal, write } = options;
  const start = clock.monotonic();
  const pause = isTerminal ? everyMs.line : everyMs.lines;
  let last: Progress | null = null;
  /** Where this run began: what an earlier one did is not its speed. */
  let begun: Progress | null = null;
  let toldAt = start;

  function line({ place, of, events }: Progress): string {
    const seconds = (clock.monotonic() - start) / 1_000;
    const rate = seconds > 0 ? Math.round((place - (begun?.place ?? 0)) / seconds) : 0;
    const share = of > 0 ? Math.floor((Math.min(place, of) / of) * 100) : 100;
    return `${share} %, at ${place} of ${of}, ${events} events taken, ${rate} places a second`;
  }

  return {
    tell(progress) {
      begun ??= progress;
      last = progress;
      if (clock.monotonic() - toldAt < pause) return;
      toldAt = clock.monotonic();
      write(isTerminal ? `\r\u001B[K${line(progress)}` : `${line(progress)}\n`);
    },
    end() {
      if (last) write(isTerminal ? `\r\u001B[K${line(last)}\n` : `${line(last)}\n`);
      last = null;
    },
  };
}
