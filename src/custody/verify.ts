/** `slipway audit verify`: the data folder's log against what was sealed of it, also beside a server that runs on it. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { say } from '../audit-client/source.ts';
import { sentenceOf } from '../core/seals/findings.ts';
import type { Verification } from '../core/seals/verify.ts';
import { type Custody, dataOption, exitCodes, headsOption, inSentences } from './custody.ts';
import { openKeptLog } from './kept-log.ts';
import { isBroken, verifyFolder } from './verified-folder.ts';

interface Options {
  readonly data: string;
  readonly heads?: string;
  readonly publicKey?: string;
  readonly json?: true;
}

export function verifyCommand(custody: Custody): Command {
  return new Command('verify')
    .description(
      'compare the whole log with what was sealed: exit code 0 when nobody rewrote it, 3 when somebody did',
    )
    .addOption(dataOption('the data folder, whether a platform runs on it or not'))
    .addOption(headsOption('signed heads that you kept elsewhere; default: seals.ndjson of the data folder'))
    .option('--public-key <key>', 'the key that must have signed them, as `slipway audit seal` told it once')
    .option('--json', 'JSON, for programs')
    .action((options: Options) => inSentences(custody, () => run(options, custody)));
}

async function run(options: Options, custody: Custody): Promise<void> {
  const { clock, isTerminal } = custody;
  const { data, heads = join(data, 'seals.ndjson'), publicKey = null } = options;
  await access(heads);
  const onProgress = (events: number): void => {
    if (isTerminal && events % 50_000 === 0) process.stderr.write(`\r${events} events …`);
  };
  const log = await openKeptLog(data, await custody.openRemoteLog());
  const verified = await verifyFolder(data, clock.now(), { heads, publicKey, onProgress, log });
  if (options.json) say(JSON.stringify(verified));
  else for (const line of told(verified, publicKey)) say(line);
  if (isBroken(verified)) process.exitCode = exitCodes.broken;
}

function told(verified: Verification, publicKey: string | null): readonly string[] {
  const { findings, found, sealed, unsealed, expired, lastHead, keys } = verified;
  const lines = findings.map(sentenceOf);
  if (found > findings.length) lines.push(`And ${found - findings.length} findings more.`);
  if (isBroken(verified)) lines.push('The log is NOT what was sealed.');
  else if (!lastHead) lines.push('Nothing was sealed yet.');
  else {
    const gone = expired > 0 ? `, of which ${expired} have expired since, as they may` : '';
    lines.push(
      `Whole: ${sealed} events are as they were sealed${gone}; the newest head is of ${lastHead.at}.`,
    );
  }
  if (unsealed > 0) lines.push(`${unsealed} events behind it are not sealed yet.`);
  if (publicKey === null && keys.length > 0)
    lines.push(`Signed by ${keys.join(', ')}: say --public-key to insist on the one that you know.`);
  return lines;
}
