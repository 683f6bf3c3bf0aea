/** `slipway audit as-of` and `slipway audit diff`: what was so, and what changed between two places in the past. */
import type { Command } from 'commander';
import { z } from 'zod';
import { Change, changeLine } from './entry.ts';
import { askingCommand, asking, exitCodes, say, type SourceOptions, type Terminal } from './source.ts';
import { parsePlace } from './time.ts';

const Last = z.object({ revision: z.number(), position: z.string(), type: z.string(), at: z.string() });
const State = z.union([
  z.object({ stream: z.string(), last: Last, state: z.json() }),
  z.object({ collection: z.string(), documentId: z.string(), at: z.string(), state: z.json() }),
]);
export type State = z.output<typeof State>;
const Changes = z.union([
  z.object({ stream: z.string(), from: Last.nullable(), to: Last, changes: z.array(Change) }),
  z.object({
    ...{ collection: z.string(), documentId: z.string(), from: z.string().nullable(), to: z.string() },
    changes: z.array(Change),
  }),
]);
export type Changes = z.output<typeof Changes>;

interface Options extends SourceOptions {
  readonly json?: true;
}

const what =
  'a stream (tenant-acme, slot-acme.production.stripe, deployment-dep-…), or a document of a read model (deployments/dep-…)';
const when = 'a position, a time such as 2025-11-23T03:10:00Z, or how long ago: 90s, 30m, 12h, 7d';

export function asOfCommand(terminal: Terminal): Command {
  return askingCommand('as-of')
    .description('what was so at a place in the past')
    .argument('<what>', what)
    .argument('<when>', when, placeParser(terminal))
    .action((of: string, at: string, options: Options) =>
      asking(options, terminal, async (source) => {
        const state = State.parse(await source.get(`${pathOf(of)}/state`, { at }));
        say(options.json ? JSON.stringify(state) : stateLines(state).join('\n'));
      }),
    );
}

export function diffCommand(terminal: Terminal): Command {
  return askingCommand('diff')
    .description('what changed between two places in the past; exit code 3 where something did')
    .argument('<what>', what)
    .argument('<from>', when, placeParser(terminal))
    .argument('[to]', 'the same; default: now', placeParser(terminal))
    .action((of: string, from: string, to: string | undefined, options: Options) =>
      asking(options, terminal, async (source) => {
        const found = Changes.parse(await source.get(`${pathOf(of)}/changes`, { from, to }));
        say(options.json ? JSON.stringify(found) : changesLines(found).join('\n'));
        if (found.changes.length > 0) process.exitCode = exitCodes.different;
      }),
    );
}

function placeParser({ clock }: Terminal): (text: string) => string {
  return (text) => parsePlace(text, clock.now());
}

/** A collection has no dash in its name, and a stream's name has one before any slash. */
function pathOf(of: string): string {
  const document = /^([a-z][a-z0-9_]*)\/(.+)$/s.exec(of);
  return document
    ? `/api/v1/audit/documents/${encodeURIComponent(document[1] ?? '')}/${encodeURIComponent(document[2] ?? '')}`
    : `/api/v1/audit/streams/${encodeURIComponent(of)}`;
}

export function stateLines(told: State): readonly string[] {
  const state = JSON.stringify(told.state, null, 2);
  if ('stream' in told) return [`${told.stream} as of ${placeOf(told.last)}`, state];
  return [`${told.collection}/${told.documentId} as of ${told.at}`, state];
}

export function changesLines(told: Changes): readonly string[] {
  const changes = told.changes.length === 0 ? ['nothing changed'] : told.changes.map(changeLine);
  if (!('stream' in told)) {
    const { collection, documentId, from, to } = told;
    return [`${collection}/${documentId} from ${from ?? 'the beginning'} to ${to}`, ...changes];
  }
  const from = told.from ? placeOf(told.from) : 'before it began';
  return [`${told.stream} from ${from} to ${placeOf(told.to)}`, ...changes];
}

function placeOf({ revision, at, type, position }: z.output<typeof Last>): string {
  return `revision ${revision} (${type} of ${at}, at ${position})`;
}
