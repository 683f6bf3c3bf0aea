/**
 * A process that can be stopped in the middle of anything, as SIGSTOP does, and continued: nothing of it moves meanwhile, neither its
 * timers nor what it asked of others, which may have happened without its hearing of it.
 */
import type { Ports } from '../../src/container.ts';
import type { Clock } from '../../src/ports/clock.ts';

/** `before commit`, `after append`: what was about to be asked of a store, or was, when nobody has heard of it yet. */
export type Moment = `${'before' | 'after'} ${string}`;

export interface StoppableProcess {
  readonly ports: Ports;
  readonly stopped: boolean;
  stop(): void;
  goOn(): void;
}

/** @param passes told of every moment that the process comes to, in which it may be stopped */
export function stoppable(ports: Ports, passes: (moment: Moment) => void): StoppableProcess {
  let standing: PromiseWithResolvers<undefined> | null = null;
  let overdue: (() => void)[] = [];

  async function pass(moment: Moment): Promise<void> {
    passes(moment);
    while (standing) await standing.promise;
  }

  /** @param sync what answers at once, without asking anybody */
  function gated<P extends object>(port: P, sync: readonly (keyof P)[] = []): P {
    return new Proxy(port, {
      get(target, name, receiver) {
        const value: unknown = Reflect.get(target, name, receiver);
        if (typeof value !== 'function' || sync.some((one) => one === name)) return value;
        return async (...args: unknown[]): Promise<unknown> => {
          await pass(`before ${String(name)}`);
          const answer: unknown = await Reflect.apply(value, target, args);
          await pass(`after ${String(name)}`);
          return answer;
        };
      },
    });
  }

  async function* arriving<T>(batches: AsyncIterable<T>): AsyncGenerator<T> {
    for await (const batch of batches) {
      await pass('before batch');
      yield batch;
    }
  }

  const { clock, eventStore, readModels, vault, leases, egress } = ports;
  const own: Clock = {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, callback) =>
      clock.after(ms, () => {
        if (standing) overdue.push(callback);
        else callback();
      }),
  };
  return {
    ports: {
      ...ports,
      clock: own,
      eventStore: {
        ...gated(eventStore, ['compare', 'subscribe', 'close']),
        logId: eventStore.logId,
        subscribe: (options) => arriving(eventStore.subscribe(options)),
      },
      readModels: gated(readModels, ['close']),
      vault: gated(vault, ['close']),
      leases: leases && gated(leases, ['close']),
      egress: gated(egress, ['objection']),
    },
    get stopped() {
      return standing !== null;
    },
    stop() {
      standing ??= Promise.withResolvers<undefined>();
    },
    goOn() {
      standing?.resolve(undefined);
      standing = null;
      const due = overdue;
      overdue = [];
      // What came over the wire meanwhile is there first.
      setImmediate(() => due.forEach((callback) => callback()));
    },
  };
}
