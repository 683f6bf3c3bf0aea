/** The smallest aggregate that the tests of the core need. */
import { z } from 'zod';
import type { Aggregate, EventsOf, EventSchemas } from '../../src/domain/event.ts';
import { refuse } from '../../src/domain/refusal.ts';
import type { Decision } from '../../src/domain/refusal.ts';
import type { CommandContext } from '../../src/core/executor.ts';
import { randomUUID } from 'node:crypto';

export const counterEvents = {
  Counted: { schema: 1, data: z.object({ by: z.number() }) },
  CounterClosed: { schema: 1, data: z.object({}) },
} as const satisfies EventSchemas;
export type CounterEvent = EventsOf<typeof counterEvents>;

export interface CounterState {
  readonly total: number;
  readonly closed: boolean;
}

export const counter: Aggregate<CounterState, CounterEvent> = {
  name: 'counter',
  events: counterEvents,
  initial: { total: 0, closed: false },
  evolve: (state, event) => {
    switch (event.type) {
      case 'Counted':
        return { ...state, total: state.total + event.data.by };
      case 'CounterClosed':
        return { ...state, closed: true };
    }
  },
  snapshotVersion: 1,
};

export const count =
  (by: number) =>
  (state: CounterState): Decision<CounterEvent> =>
    state.closed ? refuse('Conflict', 'the counter is closed') : [{ type: 'Counted', data: { by } }];

export const close = (state: CounterState): Decision<CounterEvent> =>
  state.closed ? [] : [{ type: 'CounterClosed', data: {} }];

export function someContext(commandId: string = randomUUID()): CommandContext {
  return { commandId, correlationId: randomUUID(), actor: { id: 'usr_test', face: 'test' } };
}
