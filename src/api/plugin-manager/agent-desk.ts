/** Where agents ask what should run, and wait for news of it. */
import { createLongPolls } from '../../core/long-polls.ts';
import type { Executor } from '../../core/executor.ts';
import type { SlotKey } from '../../domain/ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ReadModels } from '../../ports/read-models.ts';
import type { AgentRuntime } from '../../ports/runtime.ts';
import { assignmentsOf, type Assignments } from '../../projections/agent-assignments.ts';
import type { AgentPlace } from './scope.ts';

export interface AgentDesk {
  /**
   * @param question.after the cursor that the agent has: then it waits, up to `waitMs`, for another
   * @throws {TooManyWaiting}
   */
  assignments(
    place: AgentPlace,
    question: {
      readonly after: string | null;
      readonly waitMs: number;
      readonly whenGone: (callback: () => void) => void;
    },
  ): Promise<Assignments>;
  /** Answers all that wait; nobody waits any more. */
  close(): void;
}

export function createAgentDesk(deps: {
  readonly models: ReadModels;
  readonly executor: Pick<Executor, 'load'>;
  readonly agent: Pick<AgentRuntime, 'stated' | 'onChange'>;
  readonly clock: Pick<Clock, 'after' | 'monotonic'>;
}): AgentDesk {
  const { agent } = deps;
  const polls = createLongPolls({ clock: deps.clock });
  /** One look for all who ask meanwhile, unless something changed since it began. */
  const looking = new Map<string, Promise<Assignments>>();

  const endListening = agent.onChange((slot) => {
    const place = placeOf(slot);
    looking.delete(place);
    polls.changed(place);
  });

  function look(place: AgentPlace, name: string): Promise<Assignments> {
    const under = looking.get(name);
    if (under) return under;
    const look = assignmentsOf(deps, place, agent.stated()).finally(() => {
      if (looking.get(name) === look) looking.delete(name);
    });
    looking.set(name, look);
    return look;
  }

  return {
    assignments: (place, { after, waitMs, whenGone }) => {
      const name = `${place.tenant}.${place.environment.toLowerCase()}`;
      return polls.poll({
        place: name,
        waitMs: after === null ? 0 : waitMs,
        ask: () => look(place, name),
        isNews: ({ cursor }) => cursor !== after,
        whenGone,
      });
    },
    close: () => {
      endListening();
      polls.stop();
    },
  };
}

/** `{tenant}.{environment in lower case}` */
function placeOf(slot: SlotKey): string {
  return slot.slice(0, slot.lastIndexOf('.'));
}
