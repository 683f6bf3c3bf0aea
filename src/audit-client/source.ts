/** Where the past is asked: a platform that runs, or the data folder of one that does not. */
import { Command } from 'commander';
import { type Api, createApi, Refused } from '../client/api.ts';
import { type KeyOptions, keyOf, parseUrl } from '../client/options.ts';
import type { Clock } from '../ports/clock.ts';

/** Answers as the API does, and is closed when nothing more is asked. */
export interface Source extends Pick<Api, 'get'> {
  close(): Promise<void>;
}

export interface Terminal {
  readonly clock: Clock;
  /** Ends the program with a sentence. */
  readonly fail: (sentence: string, code: number) => never;
  /** Opens the data of a platform that does not run, as its staff. @throws {Refused} in a sentence, when it cannot be opened */
  readonly openFolder: (folder: string) => Promise<Source>;
}

export interface SourceOptions extends KeyOptions {
  readonly url: string;
  readonly data?: string;
}

/** What scripts can go by; commander's own end is 1. */
export const exitCodes = { refused: 1, wrongOptions: 2, different: 3 } as const;

/** A command that asks a platform, with the options of all such commands. @param permission that its key needs */
export function askingPlatform(name: string, permission: string): Command {
  return new Command(name)
    .option('--url <url>', 'where the platform is', parseUrl, 'http://127.0.0.1:3000')
    .option(
      '--key <key>',
      `an API key with ${permission}, or a session token; other users of this machine can see it in the list of processes`,
    )
    .option('--key-file <file>', 'a file that holds the key')
    .option('--json', 'JSON, for programs');
}

/** A command that asks the past, which a folder can tell as well. */
export function askingCommand(name: string): Command {
  return askingPlatform(name, 'audit:read').option(
    '--data <folder>',
    'read the data folder of a platform that does not run, instead of asking one',
  );
}

/** Asks, and tells in a sentence what was refused. */
export async function asking(
  options: SourceOptions,
  terminal: Terminal,
  ask: (source: Source) => Promise<void>,
): Promise<void> {
  const source = await open(options, terminal).catch((error: unknown) => tellRefused(error, terminal));
  try {
    await ask(source);
  } catch (error) {
    await source.close();
    tellRefused(error, terminal);
  }
  await source.close();
}

function tellRefused(error: unknown, { fail }: Pick<Terminal, 'fail'>): never {
  if (error instanceof Refused) fail(error.message, exitCodes.refused);
  // Of fetch: the cause says what could not be reached.
  if (error instanceof TypeError && error.cause instanceof Error)
    fail(`The platform is not reached: ${error.cause.message}`, exitCodes.refused);
  throw error;
}

async function open(options: SourceOptions, { clock, fail, openFolder }: Terminal): Promise<Source> {
  if (options.data !== undefined) return openFolder(options.data);
  return { ...platformOf(options, { clock, fail }), close: async () => undefined };
}

/** Of what takes longest: an answer that goes through the whole log. */
const timeoutMs = 10 * 60_000;

function platformOf(options: SourceOptions, { clock, fail }: Pick<Terminal, 'clock' | 'fail'>): Api {
  const key = keyOf(options) ?? fail('Give a key: --key-file <file> or --key <key>', exitCodes.wrongOptions);
  const patience = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
  return createApi({ url: options.url, key, patience, timeoutMs });
}

/** As {@link asking}, of a platform that runs. */
export async function askingRunning(
  options: SourceOptions,
  terminal: Pick<Terminal, 'clock' | 'fail'>,
  ask: (platform: Api) => Promise<void>,
): Promise<void> {
  await ask(platformOf(options, terminal)).catch((error: unknown) => tellRefused(error, terminal));
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
