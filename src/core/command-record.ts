/** What became of a request that carried an `Idempotency-Key`: the aggregate `command`, one stream a key. */
import { z } from 'zod';
import type { Aggregate, EventsOf, EventSchemas } from '../domain/event.ts';
import type { Decision } from '../domain/refusal.ts';

export const commandEvents = {
  /** @property bodyHash a keyed fingerprint: a plain hash of a short body could be guessed back */
  CommandReceived: { schema: 1, data: z.object({ bodyHash: z.string() }) },
  /** Decided: a repetition is answered the same. */
  CommandAnswered: { schema: 1, data: z.object({ status: z.number().int() }) },
  /** Not decided (400, 401, 403, 429, 5xx): the key is free again. */
  CommandReleased: { schema: 1, data: z.object({}) },
} as const satisfies EventSchemas;

export type CommandEvent = EventsOf<typeof commandEvents>;

export interface CommandRecord {
  readonly phase: 'new' | 'received' | 'answered' | 'released';
  readonly bodyHash: string | null;
  /** Of the first request ever sent with this key. */
  readonly firstBodyHash: string | null;
  /** How many events there are: names the next step. */
  readonly steps: number;
}

export const commandRecord: Aggregate<CommandRecord, CommandEvent> = {
  name: 'command',
  events: commandEvents,
  initial: { phase: 'new', bodyHash: null, firstBodyHash: null, steps: 0 },
  evolve: (state, event) => {
    const steps = state.steps + 1;
    switch (event.type) {
      case 'CommandReceived': {
        const { bodyHash } = event.data;
        return { phase: 'received', bodyHash, firstBodyHash: state.firstBodyHash ?? bodyHash, steps };
      }
      case 'CommandAnswered':
        return { ...state, phase: 'answered', steps };
      case 'CommandReleased':
        return { ...state, phase: 'released', steps };
    }
  },
};

/** Received once until it is released, however often it comes. */
export function receive(state: CommandRecord, bodyHash: string): Decision<CommandEvent> {
  const free = state.phase === 'new' || state.phase === 'released';
  return free ? [{ type: 'CommandReceived', data: { bodyHash } }] : [];
}

export function settle(state: CommandRecord, status: number): Decision<CommandEvent> {
  if (state.phase !== 'received') return [];
  return isDecided(status)
    ? [{ type: 'CommandAnswered', data: { status } }]
    : [{ type: 'CommandReleased', data: {} }];
}

/** Whether an answer stands, so that a repetition gets the same. */
export function isDecided(status: number): boolean {
  return status < 500 && ![400, 401, 403, 429].includes(status);
}
