/** `slipway demo`: a server of its own in a temporary folder, a rollout that goes back by itself, and nothing left behind. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { Clock } from '../ports/clock.ts';
import { NotAsExpected } from './calls.ts';
import { perform, type StartServer } from './performance.ts';
import { createTeller } from './telling.ts';

export interface DemoDeps {
  readonly clock: Clock;
  /** Ends the program with a sentence. */
  readonly fail: (sentence: string, code: number) => never;
  readonly startServer: StartServer;
}

interface Options {
  readonly keep?: boolean;
  readonly port: string;
}

const exitCodes = { failed: 1, interrupted: 130 } as const;
/** Ctrl-C arrives twice: from the terminal and from npm. A second signal counts only after this. */
const secondSignalAfterMs = 1_000;

export function demoCommand(deps: DemoDeps): Command {
  return new Command('demo')
    .description(
      'show in a minute what this is: a server in a temporary folder, plugins, canaries on simulated instances, one that falls sick and goes back by itself, and the webhook that tells of it',
    )
    .option('--keep', 'leave the server up until Ctrl-C, and the folder where it is')
    .option('--port <port>', 'of the server; 0: any that is free', parsePort, '0')
    .action((options: Options) => run(options, deps));
}

function parsePort(text: string): string {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return text;
  throw new InvalidArgumentError('must be a port number, 0 to 65535');
}

async function run(options: Options, { clock, fail, startServer }: DemoDeps): Promise<void> {
  const { port, keep = false } = options;
  // First of all: a signal that nobody hears would leave the folder behind.
  const interrupted = onInterruption();
  const folder = makeFolder(fail);
  // Also when it ends by a second Ctrl-C or a defect.
  if (!keep) process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const teller = createTeller(process.stdout);
  const password = secretFile(folder, 'password');
  const secret = secretFile(folder, 'webhook-secret');
  let code = 0;
  try {
    await perform({ clock, teller, startServer, folder, port, password, secret, keep, interrupted });
  } catch (error) {
    if (!interrupted.aborted) fail(sentenceOf(error, port), exitCodes.failed);
    code = exitCodes.interrupted;
  }
  teller.heading(
    `The server is stopped, ${keep ? `its data is in ${folder}` : 'and the folder is removed'}.`,
  );
  process.exit(code);
}

function makeFolder(fail: DemoDeps['fail']): string {
  try {
    return mkdtempSync(join(tmpdir(), 'slipway-demo-'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return fail(`No temporary folder can be made; set TMPDIR to a folder that can be written to (${why})`, 1);
  }
}

/** Secrets are in files that only this user can read, not on the screen. */
function secretFile(folder: string, name: string): string {
  const secret = randomBytes(18).toString('hex');
  writeFileSync(join(folder, name), secret, { mode: 0o600 });
  return secret;
}

/** Aborts with the first signal, or when nobody reads any more; a second signal ends everything at once. */
function onInterruption(): AbortSignal {
  const interruption = new AbortController();
  let firstAt: number | null = null;
  const onSignal = (): void => {
    if (firstAt !== null && performance.now() - firstAt >= secondSignalAfterMs)
      process.exit(exitCodes.interrupted);
    firstAt ??= performance.now();
    interruption.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  process.stdout.on('error', () => interruption.abort());
  return interruption.signal;
}

/** What a person can mend is told in a sentence; everything else is a defect and shows its stack. */
function sentenceOf(error: unknown, port: string): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof NotAsExpected) return `The demo did not go as it should: ${error.message}`;
  const code = 'code' in error ? error.code : null;
  if (code === 'EADDRINUSE')
    return `--port: another program listens on ${port} already; leave it out to have a free one`;
  if (code === 'EACCES')
    return `--port: this user may not listen on ${port}; leave it out to have a free one`;
  if (code === 'ENOSPC') return 'The disk of the temporary folder is full; set TMPDIR to a folder elsewhere';
  return error.stack ?? error.message;
}
