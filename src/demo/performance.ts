/** The demo from its first line to its last: what it needs is opened, the story told, and everything closed, whatever happens. */
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../ports/clock.ts';
import { createLines } from '../watch/lines.ts';
import { createPlatform, watch } from '../watch/watch.ts';
import { createCaller, NotAsExpected, quoted } from './calls.ts';
import { createInbox } from './inbox.ts';
import { openReceiver } from './receiver.ts';
import { play } from './story.ts';
import type { Teller } from './telling.ts';

/** @param settings all that count @returns the server once it answers everything. @throws when it cannot start */
export type StartServer = (
  settings: Readonly<Record<string, string>>,
) => Promise<{ readonly url: string; stop(): Promise<void> }>;

export interface Performance {
  readonly clock: Clock;
  readonly teller: Teller;
  readonly startServer: StartServer;
  /** It exists; `password` and `webhook-secret` in it hold the two secrets. */
  readonly folder: string;
  readonly port: string;
  readonly password: string;
  readonly secret: string;
  /** Whether the server stays up when all is told. */
  readonly keep: boolean;
  /** Ends it at any time. */
  readonly interrupted: AbortSignal;
}

/** Longer than the story takes on a machine that is busy with much else. */
const mostMs = 300_000;
const email = 'admin@example.com';

/** @throws {NotAsExpected}, what the server cannot start with, and the reason of `interrupted` unless all was told */
export async function perform(performance: Performance): Promise<void> {
  const { clock, teller, startServer, folder, port, password, secret, keep, interrupted } = performance;
  teller.heading('Slipway, in about a minute');
  teller.say(
    'The server is real, its instances are SIMULATED: they behave by scenario, no plugin really runs.',
  );
  teller.say(
    `Everything is in ${folder}${keep ? ', which is kept' : ', which is removed at the end (--keep keeps it)'}.`,
  );
  const inbox = createInbox(teller);
  const receiver = await openReceiver(secret, inbox.take, () =>
    teller.bad('Something called the receiver, and its signature is not genuine: it is not believed'),
  );
  try {
    // In this process: whatever ends the demo ends the server.
    const server = await startServer({
      ...{ HOST: '127.0.0.1', PORT: port, SLIPWAY_DATA_DIR: join(folder, 'data'), LOG_LEVEL: 'error' },
      ...{ SLIPWAY_ADMIN_EMAIL: email, SLIPWAY_ADMIN_PASSWORD: password },
      // Or webhooks would not call the receiver, which is of this machine.
      SLIPWAY_EGRESS_ALLOW: '127.0.0.0/8',
    });
    try {
      const api = `${server.url}/api`;
      await unless(interrupted, async (signal) => {
        const token = await logIn(api, password, signal);
        teller.say(
          `The server is at ${server.url}. ${keep ? '' : 'While this runs, '}every line below can be`,
        );
        teller.say('pasted into another terminal, and answers as it answered here; paste these three first:');
        for (const line of variables(api, folder)) teller.command(line);
        const platform = createPlatform({ url: server.url, key: token });
        const follow = async (deploymentId: string): Promise<string> => {
          const lines = createLines(clock, teller.width);
          let status = '';
          for await (const seen of watch(platform, deploymentId, clock)) {
            if (signal.aborted) break;
            for (const line of lines(seen)) teller.say(line);
            if ('watched' in seen) status = seen.watched.status;
          }
          return status;
        };
        const call = createCaller({ api, token }, signal);
        await play({ call, teller, follow, receiver: { url: receiver.url, secret, awaited: inbox.awaited } });
      });
      if (!keep) return;
      teller.heading(`That was all. The server stays at ${server.url} until Ctrl-C.`);
      await aborted(interrupted);
    } finally {
      await server.stop();
    }
  } finally {
    await receiver.close();
  }
}

/** What the lines of curl need; secrets are read from their files. */
function variables(api: string, folder: string): readonly string[] {
  const login = `'{"username":"${email}","password":"'"$(cat ${quoted(join(folder, 'password'))})"'"}'`;
  return [
    `API=${api}`,
    `TOKEN=$(curl -s $API/v1/authentication/login -H 'Content-Type: application/json' -d ${login} | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')`,
    `SECRET=$(cat ${quoted(join(folder, 'webhook-secret'))})`,
  ];
}

async function logIn(api: string, password: string, signal: AbortSignal): Promise<string> {
  const body = { username: email, password };
  const call = createCaller({ api, token: null }, signal);
  const asked = { method: 'POST', path: '/v1/authentication/login', body } as const;
  return (await call(asked, z.object({ token: z.string() }))).token;
}

/** @throws when it is interrupted, or takes too long, without waiting for what is under way */
async function unless(
  interrupted: AbortSignal,
  story: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(mostMs)]);
  signal.throwIfAborted();
  const telling = story(signal);
  await Promise.race([telling, aborted(signal)]);
  if (!signal.aborted) return;
  telling.catch(() => undefined);
  interrupted.throwIfAborted();
  throw new NotAsExpected(`it has not ended within ${mostMs / 60_000} minutes: is this machine very busy?`);
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  if (signal.aborted) resolve(undefined);
  signal.addEventListener('abort', () => resolve(undefined), { once: true });
  return promise;
}
