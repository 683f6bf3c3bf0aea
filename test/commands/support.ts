/** What commands need, in memory: streams as lists of events, seals that can be read with the naked eye. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import {
  CommandRefused,
  type Command,
  type CommandContext,
  type Executed,
  type Executor,
} from '../../src/core/executor.ts';
import type { Aggregate } from '../../src/domain/event.ts';
import { isRefusal, type Refusal } from '../../src/domain/refusal.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Position } from '../../src/ports/event-store.ts';
import type { Vault } from '../../src/ports/vault.ts';

type Typed = { readonly type: string };

export interface Stored {
  readonly event: Typed;
  readonly tenant: string | null;
  readonly commandId: string;
}

export interface Fixture {
  readonly executor: Executor;
  readonly vault: Pick<Vault, 'sealFor' | 'openFor'>;
  readonly clock: Pick<Clock, 'now'>;
  types(stream: string): readonly string[];
  readonly streams: ReadonlyMap<string, readonly Stored[]>;
  /** What another request does just before the next execution on the stream. */
  before(stream: string, act: () => Promise<unknown>): void;
}

export function fixture(): Fixture {
  const streams = new Map<string, Stored[]>();
  const meanwhile = new Map<string, () => Promise<unknown>>();
  let seals = 0;

  function stateOf<S, E extends Typed>(aggregate: Aggregate<S, E>, id: string): S {
    const events = (streams.get(`${aggregate.name}-${id}`) ?? []).map(({ event }) => event as E);
    return events.reduce(aggregate.evolve, aggregate.initial);
  }

  async function execute<S, E extends Typed>(command: Command<S, E>): Promise<Executed<S, E>> {
    const { aggregate, id, tenant, context, decide } = command;
    const stream = `${aggregate.name}-${id}`;
    const act = meanwhile.get(stream);
    meanwhile.delete(stream);
    await act?.();
    const kept = streams.get(stream) ?? [];
    const before = kept.filter(({ commandId }) => commandId === context.commandId);
    const decision =
      before.length > 0 ? before.map(({ event }) => event as E) : decide(stateOf(aggregate, id));
    if (isRefusal(decision)) throw new CommandRefused(decision);
    if (before.length === 0) {
      const stored = decision.map((event) => ({ event, tenant, commandId: context.commandId }));
      if (stored.length > 0) streams.set(stream, [...kept, ...stored]);
    }
    const revision = (streams.get(stream)?.length ?? 0) - 1;
    const position = decision.length > 0 ? (`memory:${stream}:${revision}` as Position) : null;
    return { state: stateOf(aggregate, id), revision, events: decision, position };
  }

  return {
    executor: {
      load: async (aggregate, id) => ({ state: stateOf(aggregate, id), revision: 'none' }),
      execute,
    },
    vault: {
      sealFor: async (subject, text) => `sealed:v1:${(seals += 1)}:${subject}|${text}`,
      openFor: async (subject, sealed) => {
        const [owner, text] = sealed.replace(/^sealed:v1:\d+:/, '').split('|', 2);
        expect(owner).to.equal(subject);
        return text ?? null;
      },
    },
    clock: { now: () => Date.parse('2026-01-01T00:00:00.000Z') },
    types: (stream) => (streams.get(stream) ?? []).map(({ event }) => event.type),
    streams,
    before: (stream, act) => void meanwhile.set(stream, act),
  };
}

export function someContext(): CommandContext {
  return {
    commandId: randomUUID(),
    correlationId: randomUUID(),
    actor: { id: 'usr_1', face: 'plugin-manager' },
  };
}

/** The refusal that a command ends with. */
export async function refusalOf(command: Promise<unknown>): Promise<Refusal> {
  try {
    await command;
  } catch (error) {
    if (error instanceof CommandRefused) return error.refusal;
    throw error;
  }
  throw new Error('the command was not refused');
}
