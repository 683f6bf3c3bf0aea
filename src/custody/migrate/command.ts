/** `slipway migrate`. */
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { exists } from '../../adapters/filesystem/durable-copies.ts';
import { loadMasterKey } from '../../adapters/filesystem/master-key.ts';
import { say } from '../../audit-client/source.ts';
import { Refused } from '../../client/api.ts';
import { plain } from '../../client/text.ts';
import { type Custody, dataOption, exitCodes, headsOption, inSentences } from '../custody.ts';
import { working } from '../working.ts';
import { migrate, type Migrated, type Step } from './migrate.ts';
import { embedded, openSource, openTarget, type Stores } from './open.ts';

const kinds = ['embedded', 'production'] as const;

interface Options {
  readonly from: (typeof kinds)[number];
  readonly to: (typeof kinds)[number];
  readonly data: string;
  readonly into: string;
  readonly heads?: string;
  readonly inFlight: number;
  readonly json?: true;
}

interface Migrating extends Custody {
  /** Those that the settings name. @throws {Refused} when they name none */
  readonly openStores: () => Promise<Stores>;
  /** SLIPWAY_MASTER_KEY, where it is set. */
  readonly masterKey: string | undefined;
}

export function migrateCommand(custody: Migrating): Command {
  const kind = (flags: string, description: string): Option =>
    new Option(flags, description).choices(kinds).makeOptionMandatory();
  return new Command('migrate')
    .description(
      'move a platform that does not run between the embedded stores and those that settings name; see docs/migrating.md',
    )
    .addOption(kind('--from <stores>', 'what it is kept in'))
    .addOption(kind('--to <stores>', 'what it shall be kept in'))
    .addOption(dataOption('the data folder of the platform that is moved: nothing in it is changed'))
    .addOption(headsOption('where its signed heads are; default: in the data folder'))
    .requiredOption(
      '--into <folder>',
      'the data folder to be: absent or empty; interrupted, the same command goes on',
    )
    .option('--in-flight <appends>', 'to EventStoreDB, so many appends at once', parseCount, 64)
    .option('--json', 'what was done as JSON, for programs')
    .action((options: Options) => inSentences(custody, () => run(options, custody)));
}

async function run(options: Options, custody: Migrating): Promise<void> {
  const { from, to, data, into, heads = join(data, 'seals.ndjson'), inFlight } = options;
  if (from === to)
    custody.fail(
      `--from and --to are both ${from}: a platform moves between embedded and production`,
      exitCodes.wrongOptions,
    );
  const stores = (which: Options['from']) =>
    which === 'production' ? custody.openStores() : Promise.resolve(embedded);
  const started = custody.clock.monotonic();
  const migrated = await working(custody, ({ progress, ended, signal }) =>
    migrate({
      ...{ data, heads, into, signal },
      masterKey: () => masterKeyOf(data, custody),
      nowMs: () => custody.clock.now(),
      openSource: async () => openSource(data, await stores(from), heads),
      openTarget: async (folder) => openTarget(folder, await stores(to), inFlight),
      told: teller(custody, progress, ended),
    }),
  );
  const seconds = (custody.clock.monotonic() - started) / 1_000;
  if (options.json) say(JSON.stringify({ into, ...migrated, seconds }));
  else for (const line of lines(options, migrated, seconds)) say(line);
}

/** It must be there: a new one would open nothing. */
async function masterKeyOf(data: string, { masterKey }: Migrating): Promise<Uint8Array> {
  const path = join(data, 'master.key');
  if (masterKey === undefined && !(await exists(path)))
    throw new Refused(
      `There is no ${path}, and SLIPWAY_MASTER_KEY is not set: without the master key the vault cannot be moved.`,
    );
  return loadMasterKey({ fromSetting: masterKey, path });
}

const words: Record<Step['step'], string> = {
  verify: 'comparing the log with its seals',
  vault: 'vault',
  blobs: 'packages',
  log: 'log',
  seals: 'reading back, and carrying the seals over',
  end: 'comparing both ends',
};

/** A line for each step, and below it how far the long ones are. */
function teller(
  { isTerminal }: Custody,
  progress: (progress: { place: number; of: number; events: number }) => void,
  ended: () => void,
): (step: Step) => void {
  let last: Step['step'] | null = null;
  return (step) => {
    if (step.step !== last) {
      ended();
      if (isTerminal) process.stderr.write(`${words[step.step]} …\n`);
      last = step.step;
    }
    if ('events' in step) progress({ place: step.events, of: step.of, events: step.events });
  };
}

const mostNamed = 20;

function lines(
  { data, into, to }: Options,
  { log, vault, blobs, resumed }: Migrated,
  seconds: number,
): readonly string[] {
  const moved = log.events - log.before;
  const rate = seconds > 0 ? Math.round(moved / seconds) : moved;
  const count = log.left.reduce((sum, { events }) => sum + events, 0);
  const left =
    log.left.length === 0
      ? []
      : [
          `Not moved: ${log.left.length} streams with ${count} events. Retention has removed their beginning, and EventStoreDB begins a stream at revision 0:`,
          ...log.left
            .slice(0, mostNamed)
            .map(
              ({ stream, events, through }) =>
                `  ${plain(stream)}: ${events} events up to revision ${through}`,
            ),
          ...(log.left.length > mostNamed
            ? [`  and ${log.left.length - mostNamed} more, which --json names`]
            : []),
        ];
  const settings = to === 'production' ? ' and the settings of stores that this command had' : '';
  return [
    `${log.events} events, ${vault.records} entries and ${vault.personalKeys} personal keys of the vault and ${blobs.blobs} packages (${blobs.bytes} bytes) were moved and compared${resumed ? ', with those of before' : ''}: ${rate} events a second.`,
    ...left,
    `Start it with SLIPWAY_DATA_DIR=${into}${settings}. Read models are made anew at the first start.`,
    `It needs the same master key and the same JWT_SECRET; where they were files of ${data}, they are in ${into} now, and can be given as settings.`,
    `Never start ${data} again, unless you give up what was moved: remove it when you have seen the new one work.`,
  ];
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,4}$/.test(text) || count < 1) throw new InvalidArgumentError('must be 1 to 9999');
  return count;
}
