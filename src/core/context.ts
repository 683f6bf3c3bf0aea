/** Where command contexts come from: a request, a step of a command, a process. */
import type { CommandContext } from './executor.ts';
import { uuidV5 } from './uuid-v5.ts';

/** Namespace of all ids that Slipway derives from words. */
const slipway = '6b1f6c1e-0a43-5d0e-9c1b-5a1d3c7e9f20';

/** A UUID that is the same for the same words, in this order. */
export function derivedId(...words: readonly string[]): string {
  return uuidV5(JSON.stringify(words), slipway);
}

/**
 * For one step of a command that appends more than once: the same step of the same command has the same id.
 * @param name unique among the steps of the command, `release claim`
 */
export function step(context: CommandContext, name: string): CommandContext {
  return { ...context, commandId: uuidV5(name, context.commandId) };
}

/**
 * For a command that a process sends.
 * @param command.purpose what for, and as of which cause (an event id, a revision): the same twice is one command
 */
export function processContext(command: {
  readonly process: string;
  readonly key: string;
  readonly purpose: string;
  readonly correlationId: string;
}): CommandContext {
  return {
    commandId: derivedId('process', command.process, command.key, command.purpose),
    correlationId: command.correlationId,
    actor: { id: `process:${command.process}`, face: 'process' },
  };
}

/** Ids of the events that a command appends to a stream, by their place in the append. */
export function eventId(commandId: string, stream: string, index: number): string {
  return uuidV5(`${stream}#${index}`, commandId);
}
