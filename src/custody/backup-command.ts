/** `slipway backup` and `slipway restore`. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { say } from '../audit-client/source.ts';
import { parseTime } from '../audit-client/time.ts';
import { backUp } from './backup.ts';
import {
  type Custody,
  dataOption,
  exitCodes,
  headsOption,
  inSentences,
  refuseElsewhere,
  withRemoteBlobs,
} from './custody.ts';
import { restore } from './restore.ts';

export function backupCommand(custody: Custody): Command {
  return new Command('backup')
    .description('back up log, seals, vault and blobs, while the platform runs or not; see docs/backup.md')
    .addOption(dataOption('the data folder'))
    .addOption(headsOption('where signed heads are; default: in the data folder'))
    .addOption(
      new Option('--to <folder>', 'the folder of all backups: each becomes a folder in it')
        .env('SLIPWAY_BACKUP_DIR')
        .makeOptionMandatory(),
    )
    .option('--json', 'JSON, for programs')
    .action(
      (options: {
        readonly data: string;
        readonly heads?: string;
        readonly to: string;
        readonly json?: true;
      }) =>
        inSentences(custody, async () => {
          const { data, heads, to } = options;
          refuseElsewhere(custody);
          const nowMs = custody.clock.now();
          const made = await withRemoteBlobs(custody, (blobs) =>
            backUp({ data, heads, to, blobs, nowMs, progress: progressOf(custody) }),
          );
          const { folder, manifest } = made;
          if (options.json) {
            say(JSON.stringify(made));
            return;
          }
          const { events, last } = manifest.log;
          say(`${folder}: ${events} events${last ? `, the last of ${last.at}` : ''}, checked.`);
          say('It holds neither the master key nor personal keys: the former is yours to keep elsewhere,');
          say(
            `the latter are in ${to}/personal-keys.db alone, which every backup and every forgetting makes anew.`,
          );
        }),
    );
}

interface RestoreArguments {
  readonly data: string;
  readonly until?: string;
  readonly replace?: boolean;
  readonly keyFile?: string;
}

export function restoreCommand(custody: Custody): Command {
  return new Command('restore')
    .description('make a data folder from a backup, as it was then or earlier; see docs/backup.md')
    .argument('<backup>', 'the folder of one backup')
    .addOption(dataOption('the data folder to be'))
    .option(
      '--until <time>',
      'as it was at 2025-11-23T03:10:00Z, or ago: 30m, 12h, 7d; or at a position of the log',
    )
    .option('--replace', 'move aside what is in the data folder')
    .option(
      '--key-file <file>',
      'the newest file of personal keys; default: personal-keys.db beside the backup',
    )
    .action((from: string, { data, until, replace = false, keyFile }: RestoreArguments) =>
      inSentences(custody, async () => {
        refuseElsewhere(custody);
        const nowMs = custody.clock.now();
        const cut = until === undefined ? null : untilOf(until, custody);
        const restored = await withRemoteBlobs(custody, (blobs) =>
          restore({ from, data, replace, keyFile, blobs, until: cut, nowMs, progress: progressOf(custody) }),
        );
        const { events, lastHead } = restored.verified;
        say(
          `${data}: ${events} events are back, as they were sealed${lastHead ? ` at ${lastHead.at}` : ''}.`,
        );
        if (restored.aside !== null) say(`What was there before is in ${restored.aside}.`);
        if (!restored.hasMasterKey)
          say(
            `Before you start the platform, put the master key in ${data}/master.key or in SLIPWAY_MASTER_KEY.`,
          );
        say('Read models are made anew at the next start.');
      }),
    );
}

function untilOf(
  text: string,
  { clock, fail }: Custody,
): { readonly position: string } | { readonly atMs: number } {
  if (/^[0-9a-f-]{36}:\d+$/.test(text)) return { position: text };
  try {
    return { atMs: Date.parse(parseTime(text, clock.now())) };
  } catch (error) {
    if (error instanceof InvalidArgumentError)
      fail(`--until ${error.message}, or be a position of the log`, exitCodes.wrongOptions);
    throw error;
  }
}

function progressOf({ isTerminal }: Custody): (what: string) => void {
  return (what) => {
    if (isTerminal) process.stderr.write(`${what} …\n`);
  };
}
