/** `slipway audit log`: what happened, who did it, and what it changed. */
import { type Command, InvalidArgumentError } from 'commander';
import { type Query, Refused } from '../client/api.ts';
import { Entry, lines, LogPage } from './entry.ts';
import { askingCommand, asking, say, type Source, type SourceOptions, type Terminal } from './source.ts';
import { parseTime } from './time.ts';

interface Options extends SourceOptions {
  readonly stream?: string;
  readonly tenant?: string;
  readonly actor?: string;
  readonly type?: string;
  /** False with `--no-reports`. */
  readonly reports: boolean;
  readonly correlation?: string;
  readonly about?: string;
  readonly from?: string;
  readonly to?: string;
  readonly oldest?: true;
  readonly limit: number;
  readonly follow?: true;
  readonly json?: true;
}

const path = '/api/v1/audit/log';
const mostAPage = 100;
const followEveryMs = 2_000;

export function logCommand(terminal: Terminal): Command {
  const time = (text: string): string => parseTime(text, terminal.clock.now());
  return askingCommand('log')
    .description('what happened: who did it, when, why, and what it changed; the newest first')
    .option('--stream <stream>', 'of one stream: tenant-acme, deployment-dep-…, slot-acme.production.stripe')
    .option('--tenant <id>', 'of one tenant')
    .option('--actor <id>', 'done by one user, usr_…, or by a part of the platform, process:rollouts')
    .option('--type <types>', 'of these types, separated by commas: StageStarted,RollbackStarted')
    .option('--no-reports', 'without what comes in great numbers and decides nothing: health, deliveries')
    .option('--correlation <id>', 'that came of one request')
    .option('--about <id>', 'about whatever has this id: a plugin, a deployment, a user, a webhook')
    .option('--from <time>', 'not earlier than 2025-11-23T03:10:00Z, or ago: 90s, 30m, 12h, 7d', time)
    .option('--to <time>', 'not later than', time)
    .option('--oldest', 'the oldest first')
    .option('-n, --limit <number>', 'most entries; 0: all of them', wholeNumber, 50)
    .option('--follow', 'go on with what happens from now on, until Ctrl-C')
    .action((options: Options) => asking(options, terminal, (source) => run(source, options, terminal)));
}

async function run(source: Source, options: Options, { clock, fail }: Terminal): Promise<void> {
  if (options.follow && options.data !== undefined)
    fail('--follow needs a platform that runs: leave --data out', 2);
  if (options.follow && options.to !== undefined) fail('--follow has no end: leave --to out', 2);
  const show = options.json ? showJson : showLines;
  const pages = pagesOf(source, options);
  if (!options.follow) {
    for await (const { entries } of pages) entries.forEach(show);
    return;
  }
  // What was there is shown in the order in which the rest comes.
  const before: Entry[] = [];
  let cursor: string | null = null;
  for await (const { entries, head, next } of pages) {
    before.push(...entries);
    cursor = options.oldest ? (next ?? head) : (cursor ?? head);
  }
  (options.oldest ? before : before.toReversed()).forEach(show);
  for (;;) {
    const question = { ...queryOf(options), order: 'oldest', cursor };
    const page = await source.get(path, question).then((answer) => LogPage.parse(answer), lost);
    page?.entries.forEach(show);
    cursor = page?.next ?? cursor;
    if (!page || page.end) await new Promise<void>((resolve) => clock.after(followEveryMs, resolve));
  }
}

/** A platform that restarts is asked again, from the same place on. @throws {Refused} */
function lost(error: unknown): null {
  if (error instanceof Refused) throw error;
  process.stderr.write(
    `not reached, asked again: ${error instanceof Error ? error.message : String(error)}\n`,
  );
  return null;
}

/** Up to the limit, and as long as there is more. */
async function* pagesOf(source: Source, options: Options): AsyncGenerator<LogPage, void> {
  let left = options.limit === 0 ? Number.POSITIVE_INFINITY : options.limit;
  const order = options.oldest ? 'oldest' : 'newest';
  for (let cursor: string | null = null; left > 0;) {
    const limit = Math.min(mostAPage, left);
    const page = LogPage.parse(await source.get(path, { ...queryOf(options), order, limit, cursor }));
    yield page;
    left -= page.entries.length;
    cursor = page.next;
    if (page.end || cursor === null) return;
  }
}

function queryOf(options: Options): Query {
  const { stream, tenant: tenantId, actor, type, correlation: correlationId, about, from, to } = options;
  const without = options.reports ? undefined : 'reports';
  return { stream, tenantId, actor, type, without, correlationId, about, from, to, limit: mostAPage };
}

function showJson(entry: Entry): void {
  say(JSON.stringify(entry));
}

function showLines(entry: Entry): void {
  say(`${lines(entry).join('\n')}\n`);
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number');
  return Number(text);
}
