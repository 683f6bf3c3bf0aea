/** Commands of who leads, for as long as he does. */
import type { Executor } from './executor.ts';
import type { Term } from './leadership.ts';

/** The one who decided leads no longer: perhaps he was stopped in the middle, and what he decided on is long past. */
export class TermOver extends Error {
  override readonly name = 'TermOver';
}

/**
 * Decides nothing once the term is over. A decision goes to the log in the same turn, so that nothing that was decided before a stop is sent
 * after it; what had been sent may still arrive, and counts only where the stream has not moved since.
 * @returns whose `execute` also throws {@link TermOver}
 */
export function within(term: Pick<Term, 'isOver'>, executor: Executor): Executor {
  return {
    load: (aggregate, id) => executor.load(aggregate, id),
    execute: (command) =>
      executor.execute({
        ...command,
        decide: (state, revision) => {
          if (term.isOver()) throw new TermOver('this process leads no longer');
          return command.decide(state, revision);
        },
      }),
  };
}
