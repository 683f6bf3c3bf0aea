/** `slipway audit export` and `slipway audit import`. */
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Command, Option } from 'commander';
import { say } from '../audit-client/source.ts';
import { parseTime } from '../audit-client/time.ts';
import { exists } from '../adapters/filesystem/durable-copies.ts';
import { Refused } from '../client/api.ts';
import { type Custody, dataOption, inSentences } from './custody.ts';
import { exported, type ExportOptions } from './export.ts';
import { openKeptLog } from './kept-log.ts';
import { importLog } from './import.ts';
import { withWhoseOptions } from './part.ts';

interface Options {
  readonly data: string;
  readonly format: ExportOptions['format'];
  readonly redact?: true;
  readonly stream?: readonly string[];
  readonly type?: readonly string[];
  readonly tenant?: string;
  readonly from?: string;
  readonly to?: string;
  readonly out?: string;
}

export function exportCommand(custody: Custody): Command {
  const time = (text: string): string => parseTime(text, custody.clock.now());
  const command = new Command('export')
    .description('write the log as lines for other programs, while the platform runs or not')
    .addOption(dataOption('the data folder'))
    .addOption(
      new Option('--format <format>', 'lines of JSON, or CSV for spreadsheets')
        .choices(['ndjson', 'csv'])
        .default('ndjson'),
    )
    .option('--redact', 'without what is personal or secret');
  return withWhoseOptions(command)
    .option('--from <time>', 'not earlier than 2025-11-23T03:10:00Z, or ago: 90s, 30m, 12h, 7d', time)
    .option('--to <time>', 'not later than', time)
    .option('--out <file>', 'default: standard output')
    .action((options: Options) => inSentences(custody, () => runExport(options, custody)));
}

async function runExport(options: Options, custody: Custody): Promise<void> {
  const { data, format, redact = false, stream = [], type = [], tenant = null, from, to, out } = options;
  if (out !== undefined && (await exists(out)))
    throw new Refused(`${out} is there already: name another file.`);
  const log = await openKeptLog(data, await custody.openRemoteLog());
  try {
    const ms = (time: string | undefined): number | null => (time === undefined ? null : Date.parse(time));
    const wanted = { format, redact, streams: stream, types: type, tenant, from: ms(from), to: ms(to) };
    let events = 0;
    const lines = Readable.from(
      exported(log, wanted, (done) => {
        events = done;
        tellProgress(custody, done);
      }),
    );
    if (out === undefined) {
      await pipeline(lines, process.stdout, { end: false });
      return;
    }
    const unfinished = `${out}.unfinished`;
    try {
      await pipeline(lines, createWriteStream(unfinished, { mode: 0o600, flush: true }));
      await rename(unfinished, out);
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
    say(`${events} events are in ${out}.`);
  } finally {
    await log.close();
  }
}

export function importCommand(custody: Custody): Command {
  return new Command('import')
    .description(
      'make the data folder of a new platform from a whole export; people, passwords and secrets are not in it',
    )
    .argument('<file>', 'an export in NDJSON; - is standard input')
    .addOption(dataOption('the data folder to be: absent or empty'))
    .action((file: string, { data }: { readonly data: string }) =>
      inSentences(custody, async () => {
        const events = await importLog(linesOf(file), data, (done) => tellProgress(custody, done));
        say(`${events} events are the log in ${data} now.`);
      }),
    );
}

/** Opened when the first is asked for: lines that come before anybody listens are lost. */
async function* linesOf(file: string): AsyncGenerator<string> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  yield* createInterface({ input, crlfDelay: Infinity });
}

function tellProgress({ isTerminal }: Custody, events: number): void {
  if (isTerminal && events > 0 && events % 50_000 === 0) process.stderr.write(`${events} events …\n`);
}
