/** An executor over streams in memory: what commands see of the real one, without a log. */
import { CommandRefused } from '../../src/core/executor.ts';
import type { Command, Executed, Executor } from '../../src/core/executor.ts';
import type { Aggregate } from '../../src/domain/event.ts';
import { isRefusal } from '../../src/domain/refusal.ts';
import type { Position } from '../../src/ports/event-store.ts';

type Typed = { readonly type: string };

export interface FakeExecutor extends Executor {
  /** What a stream holds, `{ type, data }` each. */
  events(stream: string): readonly Typed[];
  streams(): readonly string[];
}

export function createFakeExecutor(): FakeExecutor {
  const streams = new Map<string, { readonly commandId: string; readonly event: Typed }[]>();
  let position = 0;

  function recorded(stream: string) {
    return streams.get(stream) ?? [];
  }

  function fold<S, E extends Typed>(aggregate: Aggregate<S, E>, id: string): S {
    // A stream holds what its own aggregate decided.
    const events = recorded(`${aggregate.name}-${id}`).map(({ event }) => event as E);
    return events.reduce(aggregate.evolve, aggregate.initial);
  }

  function executed<S, E extends Typed>(command: Command<S, E>, events: readonly E[]): Executed<S, E> {
    const length = recorded(`${command.aggregate.name}-${command.id}`).length;
    return {
      state: fold(command.aggregate, command.id),
      revision: length === 0 ? 'none' : length - 1,
      events,
      position: events.length === 0 ? null : (`fake:${position}` as Position),
    };
  }

  return {
    async load(aggregate, id) {
      const { length } = recorded(`${aggregate.name}-${id}`);
      return { state: fold(aggregate, id), revision: length === 0 ? 'none' : length - 1 };
    },
    async execute<S, E extends Typed>(command: Command<S, E>) {
      const { aggregate, context } = command;
      const stream = `${aggregate.name}-${command.id}`;
      const before = recorded(stream).filter(({ commandId }) => commandId === context.commandId);
      const { length } = recorded(stream);
      const decision = command.decide(fold(aggregate, command.id), length === 0 ? 'none' : length - 1);
      if (before.length > 0) {
        // The real one says so too: a command writes a stream once.
        const wanted = isRefusal(decision) ? [] : decision.map(({ type }) => type);
        const first = before.map(({ event }) => event.type);
        if (wanted.length > 0 && wanted.join() !== first.join()) throw new Error('one command, two effects');
        return executed<S, E>(
          command,
          before.map(({ event }) => event as E),
        );
      }
      if (isRefusal(decision)) throw new CommandRefused(decision);
      for (const event of decision) {
        aggregate.events[event.type]!.data.parse('data' in event ? event.data : undefined);
      }
      position += decision.length;
      const added = decision.map((event) => ({ commandId: context.commandId, event }));
      if (added.length > 0) streams.set(stream, [...recorded(stream), ...added]);
      return executed(command, decision);
    },
    events: (stream) => recorded(stream).map(({ event }) => event),
    streams: () => [...streams.keys()].sort(),
  };
}
