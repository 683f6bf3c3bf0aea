/** Decisions of an aggregate in three words: `spec(plugin).given(…events).when((state) => publish(state, …)).then(…events)`. */
import { expect } from 'chai';
import type { Aggregate } from '../../src/domain/event.ts';
import { isRefusal, type Decision, type RefusalKind } from '../../src/domain/refusal.ts';

export interface Spec<S, E> {
  /** What has happened. */
  given(...events: readonly E[]): When<S, E>;
}

export interface When<S, E> {
  /** What is decided on the state that the given events lead to. */
  when(decide: (state: S) => Decision<E>): Then<E>;
  /** The state itself, for questions that are no decisions. */
  readonly state: S;
}

export interface Then<E> {
  /** Exactly these events; none: the decision had nothing to do. */
  then(...events: readonly E[]): void;
  /** @param fields of the refusal's details, in order, where it matters which are named */
  thenRefused(kind: RefusalKind, message: RegExp, ...fields: readonly string[]): void;
  readonly decision: Decision<E>;
}

export function spec<S, E extends { readonly type: string; readonly data: unknown }>(
  aggregate: Aggregate<S, E>,
): Spec<S, E> {
  return {
    given: (...events) => {
      for (const event of events) expectValid(aggregate, event);
      const state = events.reduce(aggregate.evolve, aggregate.initial);
      return { state, when: (decide) => outcome(aggregate, decide(state)) };
    },
  };
}

function outcome<S, E extends { readonly type: string; readonly data: unknown }>(
  aggregate: Aggregate<S, E>,
  decision: Decision<E>,
): Then<E> {
  return {
    decision,
    then: (...events) => {
      expect(decision).to.deep.equal(events);
      for (const event of events) expectValid(aggregate, event);
    },
    thenRefused: (kind, message, ...fields) => {
      if (!isRefusal(decision)) expect.fail(`expected a refusal, got ${JSON.stringify(decision)}`);
      expect(decision.refused).to.equal(kind);
      expect(decision.message).to.match(message);
      if (fields.length > 0) expect(decision.details.map(({ field }) => field)).to.deep.equal(fields);
    },
  };
}

/** An event in a test that its own schema would refuse shows nothing. */
function expectValid<S, E extends { readonly type: string; readonly data: unknown }>(
  aggregate: Aggregate<S, E>,
  event: E,
): void {
  const schema = aggregate.events[event.type];
  if (!schema) expect.fail(`${aggregate.name} has no event ${event.type}`);
  const { error } = schema.data.safeParse(event.data);
  if (error) expect.fail(`${event.type} breaks its schema: ${error.message}`);
}
