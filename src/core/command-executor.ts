/** The executor over a log: see executor.ts for what it promises. */
import type { Aggregate } from '../domain/event.ts';
import { isRefusal } from '../domain/refusal.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventStore, ExpectedRevision, NewEvent, RecordedEvent } from '../ports/event-store.ts';
import { WrongExpectedRevision } from '../ports/event-store.ts';
import type { Log } from '../ports/log.ts';
import type { Snapshots } from '../ports/snapshots.ts';
import { eventId } from './context.ts';
import type { Command, Executed, Executor } from './executor.ts';
import { CommandRefused, TooContended, UnreadableStream } from './executor.ts';
import { createFolding } from './folding.ts';
import type { Folded } from './folding.ts';
import type { Schemas } from './schemas.ts';
import { createQueues } from './waiting.ts';

type Typed = { readonly type: string };

const attempts = 8;
const pageSize = 1_000;

/** @param options.cachedStates how many folded states are kept in memory, default 10,000 */
export function createExecutor(options: {
  readonly store: EventStore;
  readonly schemas: Schemas;
  readonly snapshots: Snapshots | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly cachedStates?: number;
}): Executor {
  const { store, schemas, clock } = options;
  const folding = createFolding({ ...options, cached: options.cachedStates ?? 10_000 });
  // Commands of this process on one stream would only meet each other's conflicts.
  const queued = createQueues();

  async function executeNow<S, E extends Typed>(command: Command<S, E>): Promise<Executed<S, E>> {
    const { aggregate, context } = command;
    const stream = `${aggregate.name}-${command.id}`;
    if (context.mayRepeat) {
      const first = await repetition<S, E>(stream, context.commandId);
      if (first) return { ...first, state: (await folding.fold(aggregate, stream)).state };
    }
    let conflict: ExpectedRevision = 'none';
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const folded = await folding.fold(aggregate, stream);
      if (folded.commands.has(context.commandId)) {
        const first = await repetition<S, E>(stream, context.commandId);
        if (first) return { ...first, state: assertRepeated(command, folded, first.events) };
      }
      const revision = latest(folded.last?.revision ?? 'none', conflict);
      const decision = command.decide(folded.state, revision);
      if (isRefusal(decision)) throw new CommandRefused(decision);
      if (decision.length === 0) return { state: folded.state, revision, events: [], position: null };
      try {
        return await append(command, stream, folded, revision, decision);
      } catch (error) {
        if (!(error instanceof WrongExpectedRevision)) throw error;
        conflict = error.actual;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    throw new TooContended(`${stream}: others were faster ${attempts} times`);
  }

  async function append<S, E extends Typed>(
    { aggregate, context, tenant }: Command<S, E>,
    stream: string,
    folded: Folded<S>,
    expected: ExpectedRevision,
    decided: readonly E[],
  ): Promise<Executed<S, E>> {
    const { commandId, correlationId, actor } = context;
    const at = new Date(clock.now()).toISOString();
    const events = decided.map((event, index): NewEvent => {
      const { data, schema } = schemas.encode(event.type, 'data' in event ? event.data : {});
      const metadata = { tenant, actor, correlationId, causationId: commandId, at, schema };
      return { id: eventId(commandId, stream, index), type: event.type, data, metadata };
    });
    const { revision, position } = await store.append(stream, expected, events);
    const state = decided.reduce<S>(aggregate.evolve, folded.state);
    const id = eventId(commandId, stream, events.length - 1);
    folding.remember(aggregate, stream, { state, last: { id, revision }, commands: new Set([commandId]) });
    return { state, revision, events: decided, position };
  }

  /** What the command appended to the stream before; null when nothing. Backwards: it is mostly near the end. */
  async function repetition<S, E extends Typed>(
    stream: string,
    commandId: string,
  ): Promise<Omit<Executed<S, E>, 'state'> | null> {
    const own: RecordedEvent[] = [];
    let page = await store.readStream(stream, { direction: 'backwards', limit: pageSize });
    while (page.length > 0) {
      const found = page.filter((event) => event.metadata.causationId === commandId);
      own.push(...found);
      const oldest = page.at(-1);
      if (!oldest || oldest.revision === 0 || (own.length > 0 && found.at(-1) !== oldest)) break;
      page = await store.readStream(stream, {
        from: oldest.revision - 1,
        direction: 'backwards',
        limit: pageSize,
      });
    }
    const [last] = own;
    if (!last) return null;
    const events = own.reverse().map((event) => {
      const decoded = schemas.decode(event);
      if (!decoded.ok) throw new UnreadableStream(stream, event.revision, decoded.message);
      // Its schema says so: the types of this stream are the aggregate's.
      return { type: decoded.event.type, data: decoded.event.data } as Typed as E;
    });
    return { events, revision: last.revision, position: last.position };
  }

  return {
    async load<S, E extends Typed>(aggregate: Aggregate<S, E>, id: string) {
      const { state, last } = await folding.fold(aggregate, `${aggregate.name}-${id}`);
      return { state, revision: last?.revision ?? 'none' };
    },
    execute<S, E extends Typed>(command: Command<S, E>): Promise<Executed<S, E>> {
      return queued(`${command.aggregate.name}-${command.id}`, () => executeNow(command));
    },
  };
}

/** Retention may have expired the last events of a stream: then only the conflict names its true revision. */
function latest(folded: ExpectedRevision, conflict: ExpectedRevision): ExpectedRevision {
  if (conflict === 'none') return folded;
  return folded === 'none' ? conflict : Math.max(folded, conflict);
}

/**
 * A command that meets its own events is a repetition, unless it now wants others: then it is two commands that share an
 * id, and answering the second with the effect of the first would lose it.
 */
function assertRepeated<S, E extends Typed>(
  command: Command<S, E>,
  { state, last }: Folded<S>,
  first: readonly E[],
): S {
  const decision = command.decide(state, last?.revision ?? 'none');
  const types = (events: readonly E[]): string => events.map(({ type }) => type).join();
  if (!isRefusal(decision) && decision.length > 0 && types(decision) !== types(first)) {
    throw new Error(
      `one command id for two effects on ${command.aggregate.name}-${command.id}: ${types(first)}, then ${types(decision)}; derive a context for each step`,
    );
  }
  return state;
}
