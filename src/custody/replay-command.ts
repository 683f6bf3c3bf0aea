/** `slipway audit replay`. */
import { Command } from 'commander';
import { say } from '../audit-client/source.ts';
import { plain } from '../client/text.ts';
import { type Custody, dataOption, exitCodes, inSentences, refuseRemoteLog } from './custody.ts';
import { partOf, type PartOptions, withPartOptions } from './part.ts';
import { replayProjection } from './replay-projection.ts';
import { type Replayed, replayInto } from './replay.ts';
import { working } from './working.ts';

interface Options extends PartOptions {
  readonly data: string;
  readonly into?: string;
  readonly projection?: string;
  readonly json?: true;
}

/** The log of a platform that does not run, and what reads it. */
type Stopped = Parameters<typeof replayProjection>[0] & { close(): Promise<void> };

interface Replaying extends Custody {
  readonly openStopped: (folder: string) => Promise<Stopped>;
}

export function replayCommand(custody: Replaying): Command {
  const asked: Record<string, string> = {};
  const command = withPartOptions(
    new Command('replay')
      .description(
        'go through the log, or a part of it, again: into a new data folder, or into a read model in memory; nothing acts on it',
      )
      .addOption(dataOption('the data folder that is read'))
      .option(
        '--into <folder>',
        'the data folder to be: absent or empty; interrupted, it goes on where it was',
      )
      .option(
        '--projection <name>',
        'write what this read model would show, a document a line; of a platform that does not run',
      ),
    () => custody.clock.now(),
  ).option('--json', 'what was done as JSON, for programs (documents are JSON anyway)');
  for (const name of ['stream', 'type', 'tenant', 'from', 'to'])
    // As it was typed: `12h` is another time in an hour.
    command.on(`option:${name}`, (text: string) => (asked[name] = text));
  return command.action((options: Options) =>
    inSentences(custody, async () => {
      const { into, projection } = options;
      if ((into === undefined) === (projection === undefined))
        custody.fail('Say where to: --into <folder> or --projection <name>', exitCodes.wrongOptions);
      const part = partOf(options);
      if (into !== undefined) {
        refuseRemoteLog(custody, 'only a log in a data folder is replayed into another folder');
        const done = await working(custody, (work) =>
          replayInto({ ...{ data: options.data, into, part, asked: JSON.stringify(asked) }, ...work }),
        );
        say(options.json ? JSON.stringify({ into, ...done }) : intoLines(into, done).join('\n'));
      }
      if (projection !== undefined) await ofProjection({ ...options, projection }, custody);
    }),
  );
}

function intoLines(into: string, { events, resumed, isPart }: Replayed): readonly string[] {
  const line = `${events} events are the log in ${into} now${resumed ? ', with those of before' : ''}.`;
  const note = `It is a part: ask it with slipway audit … --data ${into}; no platform starts on it.`;
  return isPart ? [line, note] : [line];
}

async function ofProjection(
  options: Options & { readonly projection: string },
  custody: Replaying,
): Promise<void> {
  const platform = await custody.openStopped(options.data);
  try {
    const { projection: name } = options;
    const { documents, parked } = await working(custody, (work) =>
      replayProjection(platform, { name, part: partOf(options), clock: custody.clock, ...work }),
    );
    for (const document of documents) say(JSON.stringify(document));
    for (const { stream, revision, type, error } of parked)
      process.stderr.write(
        `not digested: ${plain(stream)} from revision ${revision} on (${plain(type)}): ${plain(error)}\n`,
      );
    if (parked.length > 0) process.exitCode = exitCodes.broken;
  } finally {
    await platform.close();
  }
}
