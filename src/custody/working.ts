/** Long work of a command: it tells how far it is, and hears the signals that end it. */
import type { Custody } from './custody.ts';
import { openTeller, type Progress } from './progress.ts';

export interface Work {
  readonly progress: (progress: Progress) => void;
  /** What comes is told apart from what was. */
  readonly ended: () => void;
  readonly signal: AbortSignal;
}

export async function working<T>(
  { clock, isTerminal }: Pick<Custody, 'clock' | 'isTerminal'>,
  work: (options: Work) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  const end = (): void => ending.abort();
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  const open = () => openTeller({ clock, isTerminal, write: (text) => void process.stderr.write(text) });
  let teller = open();
  const ended = (): void => {
    teller.end();
    teller = open();
  };
  try {
    return await work({ progress: (progress) => teller.tell(progress), ended, signal: ending.signal });
  } finally {
    teller.end();
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
  }
}
