/** `slipway watch <deployment>`: a picture that moves where a terminal is, lines where none is, JSON for programs. */
import { Command } from 'commander';
import { Refused } from '../client/api.ts';
import { type KeyOptions, keyOf, parseUrl } from '../client/options.ts';
import type { Clock } from '../ports/clock.ts';
import { createLines } from './lines.ts';
import type { Watched } from './picture.ts';
import { createPainter } from './screen.ts';
import { createPlatform, watch, type Seen } from './watch.ts';

interface Options extends KeyOptions {
  readonly url: string;
  readonly json?: true;
}

/** What scripts can go by; 1 and 2 are a platform that refuses and options that are wrong. */
const exitCodes = { completed: 0, refused: 1, wrongOptions: 2, endedOtherwise: 3 } as const;

/** @param fail ends the program with a sentence */
export function watchCommand(deps: {
  readonly clock: Clock;
  readonly fail: (sentence: string, code: number) => never;
}): Command {
  return new Command('watch')
    .description(
      'watch a deployment until it has ended: exit code 0 when it is Completed, 3 when it ended otherwise',
    )
    .argument('<deployment>', 'its id: dep-…')
    .option('--url <url>', 'where the platform is', parseUrl, 'http://127.0.0.1:3000')
    .option(
      '--key <key>',
      'an API key with deployments:read, or a session token; other users of this machine can see it in the list of processes',
    )
    .option('--key-file <file>', 'a file that holds the key')
    .option('--json', 'a line of JSON for each state seen')
    .action((deploymentId: string, options: Options) => run(deploymentId, options, deps));
}

async function run(
  deploymentId: string,
  options: Options,
  { clock, fail }: Parameters<typeof watchCommand>[0],
): Promise<void> {
  const key = keyOf(options) ?? fail('Give a key: --key-file <file> or --key <key>', exitCodes.wrongOptions);
  const show = options.json
    ? showJson
    : process.stdout.isTTY
      ? createPainter(process.stdout, clock)
      : showLines(clock);
  let last: Watched | null = null;
  try {
    for await (const seen of watch(createPlatform({ url: options.url, key }), deploymentId, clock)) {
      show(seen);
      if ('watched' in seen) last = seen.watched;
    }
  } catch (error) {
    if (error instanceof Refused) fail(error.message, exitCodes.refused);
    throw error;
  }
  process.exitCode = last?.status === 'Completed' ? exitCodes.completed : exitCodes.endedOtherwise;
}

function say(text: string): void {
  process.stdout.write(text);
}

function showJson(seen: Seen): void {
  say(`${JSON.stringify('watched' in seen ? { ...seen.watched, news: seen.news } : seen)}\n`);
}

function showLines(clock: Clock): (seen: Seen) => void {
  const lines = createLines(clock);
  return (seen) => lines(seen).forEach((text) => say(`${text}\n`));
}
