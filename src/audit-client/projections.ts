/** `slipway projections`: how read models are doing, and what is done about those that are not well. */
import { Command } from 'commander';
import { z } from 'zod';
import { plain } from '../client/text.ts';
import { Change, changeLine } from './entry.ts';
import {
  askingPlatform,
  askingRunning,
  exitCodes,
  say,
  type SourceOptions,
  type Terminal,
} from './source.ts';

const Parked = z.object({
  ...{ stream: z.string(), revision: z.number(), eventId: z.string(), type: z.string() },
  ...{ error: z.string(), tries: z.number(), parkedAt: z.string() },
});
type Parked = z.output<typeof Parked>;
const List = z.object({
  projections: z.array(
    z.object({
      ...{ name: z.string(), version: z.number(), state: z.string(), position: z.string().nullable() },
      ...{ lagEvents: z.number().nullable(), parked: z.array(Parked) },
    }),
  ),
});
export type List = z.output<typeof List>;
const Comparison = z.object({
  ...{ name: z.string(), position: z.string().nullable(), documents: z.number(), different: z.number() },
  differences: z.array(
    z.object({ collection: z.string(), id: z.string(), kind: z.string(), changes: z.array(Change) }),
  ),
  parked: z.array(Parked),
});
export type Comparison = z.output<typeof Comparison>;
const Retried = z.object({ name: z.string(), healed: z.number(), parked: z.array(Parked) });
export type Retried = z.output<typeof Retried>;

interface Options extends SourceOptions {
  readonly json?: true;
}
type Running = Pick<Terminal, 'clock' | 'fail'>;

const path = '/api/v1/projections';

export function projectionsCommand(terminal: Running): Command {
  return new Command('projections')
    .description(
      'the read models: how far they are, what they could not digest, what the log would make of them',
    )
    .addCommand(listCommand(terminal))
    .addCommand(diffCommand(terminal))
    .addCommand(rebuildCommand(terminal))
    .addCommand(retryCommand(terminal));
}

function listCommand(terminal: Running): Command {
  return askingPlatform('list', 'projections:read')
    .description('list them; exit code 3 where one stands still or could not digest something')
    .action((options: Options) =>
      askingRunning(options, terminal, async (platform) => {
        const list = List.parse(await platform.get(path));
        say(options.json ? JSON.stringify(list) : listLines(list).join('\n'));
        if (list.projections.some(({ state, parked }) => state === 'stalled' || parked.length > 0))
          process.exitCode = exitCodes.different;
      }),
    );
}

function diffCommand(terminal: Running): Command {
  return askingPlatform('diff', 'projections:read')
    .description('compare one with what the log makes of it now; exit code 3 where they differ')
    .argument('<name>', 'of the projection')
    .action((name: string, options: Options) =>
      askingRunning(options, terminal, async (platform) => {
        const found = Comparison.parse(await platform.get(`${path}/${encodeURIComponent(name)}/diff`));
        say(options.json ? JSON.stringify(found) : comparisonLines(found).join('\n'));
        if (found.different > 0) process.exitCode = exitCodes.different;
      }),
    );
}

function rebuildCommand(terminal: Running): Command {
  return askingPlatform('rebuild', 'projections:write')
    .description('make one what the log makes of it now, at once; it answers meanwhile')
    .argument('<name>', 'of the projection')
    .action((name: string, options: Options) =>
      askingRunning(options, terminal, async (platform) => {
        const found = Comparison.parse(await platform.post(`${path}/${encodeURIComponent(name)}/rebuild`));
        say(options.json ? JSON.stringify(found) : ['rebuilt', ...comparisonLines(found)].join('\n'));
      }),
    );
}

function retryCommand(terminal: Running): Command {
  return askingPlatform('retry', 'projections:write')
    .description('try again what one could not digest; exit code 3 where something still waits')
    .argument('<name>', 'of the projection')
    .action((name: string, options: Options) =>
      askingRunning(options, terminal, async (platform) => {
        const tried = Retried.parse(await platform.post(`${path}/${encodeURIComponent(name)}/retry`));
        say(options.json ? JSON.stringify(tried) : retriedLines(tried).join('\n'));
        if (tried.parked.length > 0) process.exitCode = exitCodes.different;
      }),
    );
}

export function listLines({ projections }: List): readonly string[] {
  const widest = Math.max(0, ...projections.map(({ name }) => name.length));
  return projections.flatMap(({ name, version, state, lagEvents, position, parked }) => {
    const lag = lagEvents === null ? 'many events behind' : `${lagEvents} behind`;
    const at = position === null ? 'nothing yet' : `at ${position}`;
    const line = `${name.padEnd(widest)}  version ${version}  ${state}, ${lag}, ${at}`;
    return [line, ...parked.map(parkedLine)];
  });
}

export function comparisonLines(found: Comparison): readonly string[] {
  const { name, position, documents, different, differences, parked } = found;
  const shown = differences.flatMap(({ collection, id, kind, changes }) => [
    `${kind}: ${collection}/${plain(id)}`,
    ...changes.map((change) => `    ${changeLine(change)}`),
  ]);
  const more = different > differences.length ? [`… and ${different - differences.length} more`] : [];
  const head = `${name} at ${position ?? 'the beginning'}: ${documents} documents, ${different} different`;
  return [head, ...shown, ...more, ...parked.map(parkedLine)];
}

export function retriedLines({ name, healed, parked }: Retried): readonly string[] {
  return [`${name}: ${healed} streams healed, ${parked.length} still wait`, ...parked.map(parkedLine)];
}

function parkedLine({ stream, revision, type, error, tries, parkedAt }: Parked): string {
  return `    parked since ${parkedAt}: ${plain(stream)} from revision ${revision} on (${plain(type)}, after ${tries} tries): ${plain(error)}`;
}
