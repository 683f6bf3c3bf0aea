/** A platform that can be killed at any of its effects: before one happens, or after it has, when nobody has heard of it yet. */
import type { Ports } from '../../src/container.ts';

/** `before append slot SlotTurned`, `after ensure simulated`: an effect on the log, the read models or a runtime. */
export type Step = `${'before' | 'after'} ${string}`;

export class Killed extends Error {
  override readonly name = 'Killed';
}

export interface Life {
  readonly ports: Ports;
  readonly over: boolean;
  /** Rejects with {@link Killed}. */
  readonly death: Promise<never>;
}

/** @param dies asked at every step; from the first yes on, no effect happens any more and every attempt throws {@link Killed} */
export function mortal(ports: Ports, dies: (step: Step) => boolean): Life {
  let over = false;
  const { promise: death, reject } = Promise.withResolvers<never>();
  death.catch(() => undefined);

  function pass(step: Step): void {
    if (!over && dies(step)) {
      over = true;
      reject(new Killed(step));
    }
    if (over) throw new Killed(step);
  }

  async function effect<T>(name: string, happen: () => Promise<T>): Promise<T> {
    pass(`before ${name}`);
    const answer = await happen();
    pass(`after ${name}`);
    return answer;
  }

  const { eventStore, readModels, runtimes } = ports;
  const { agent, simulated } = runtimes;
  return {
    ports: {
      ...ports,
      eventStore: {
        ...eventStore,
        append: (stream, expected, events) =>
          effect(`append ${stream.slice(0, stream.indexOf('-'))} ${events[0]?.type ?? ''}`, () =>
            eventStore.append(stream, expected, events),
          ),
        setRetention: (stream, retention) =>
          effect('setRetention', () => eventStore.setRetention(stream, retention)),
        scavenge: () => effect('scavenge', () => eventStore.scavenge()),
      },
      readModels: {
        ...readModels,
        commit: (generation, ...written) =>
          effect(`commit ${generation.projection}`, () => readModels.commit(generation, ...written)),
      },
      runtimes: {
        ...runtimes,
        agent: { ...agent, ensure: (...stated) => effect('ensure agent', () => agent.ensure(...stated)) },
        simulated: simulated && {
          ...simulated,
          ensure: (...stated) => effect('ensure simulated', () => simulated.ensure(...stated)),
          probe: (...asked) => effect('probe', () => simulated.probe(...asked)),
        },
      },
    },
    get over() {
      return over;
    },
    death,
  };
}
