/** Announcements on a thousand sockets of a whole Slipway, beside ws by itself that sends one ready buffer to as many. */
import { on, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { type Child, startChild } from './child.ts';
import { bearer, exampleBody, loggedIn, registerDependency, type Target } from './http/client.ts';
import type { Load } from './http/load.ts';
import { type Edits, type Lag, type Ready, startSlipway } from './slipway.ts';
import type { SendAll } from './sockets/bare.ts';
import type { Await, Heard, Listen } from './sockets/listeners.ts';
import { compared, type Row } from './table.ts';
import { inTurns } from './turns.ts';

export interface Sizes {
  readonly sockets: number;
  /** Announcements of a round, appended to the log at once. */
  readonly announcements: number;
  readonly rounds: number;
}

const full: Sizes = { sockets: 1_000, announcements: 300, rounds: 9 };
const warmUps = 3;
const pluginId = 'told-0';

export async function benchSockets({ sockets, announcements, rounds }: Sizes = full): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const slipway = startSlipway(folder, { SLIPWAY_SOCKETS_PER_USER: String(sockets + 1) });
  const bare = startChild('sockets/bare.ts');
  const ourListeners = startChild('sockets/listeners.ts');
  const itsListeners = startChild('sockets/listeners.ts');
  const generator = startChild('http/load.ts');
  try {
    const ours = await loggedIn((await slipway.next<Ready>()).url);
    const reference = await bare.next<{ readonly url: string }>();
    await registerDependency(ours);
    const body = exampleBody('told');
    const publish = { method: 'POST', path: '/api/v1/plugins', body, requests: 1, connections: 1 } as const;
    await generator.ask({ url: ours.url, headers: bearer(ours), ...publish } satisfies Load);
    const edit = (edits: number) => slipway.ask({ pluginId, edits } satisfies Edits);
    const text = await oneFrame(ours, edit);

    const ask: Listen = { url: ours.url, count: sockets, says: sayings(ours), answers: 2 };
    await ourListeners.ask<Heard>(ask);
    await itsListeners.ask<Heard>({
      url: reference.url,
      count: sockets,
      says: [],
      answers: 0,
    } satisfies Listen);

    const perSecond = async (listeners: Child, send: () => Promise<unknown>): Promise<number> => {
      const waiting = listeners.ask<Heard>({ frames: announcements } satisfies Await);
      const began = Date.now();
      await send();
      return ((announcements * sockets) / ((await waiting).last - began)) * 1000;
    };
    const measured = await inTurns(
      { rounds, warmUps },
      async () => {
        const told = await perSecond(ourListeners, () => edit(announcements));
        // What the read models still do would be done in the reference's time.
        await slipway.ask<Lag>({ since: Date.now() });
        return told;
      },
      () => {
        const send = { text, times: announcements } satisfies SendAll;
        return perSecond(itsListeners, () => bare.ask(send));
      },
    );
    const what = `announcements on ${sockets} sockets (reference: ws, one ready buffer)`;
    return [compared(what, 'frames/s', measured.ours, measured.reference, { atLeast: 0.7 })];
  } finally {
    const children = [slipway, bare, ourListeners, itsListeners, generator];
    await Promise.allSettled(children.map((child) => child.stop()));
    await rm(folder, { recursive: true });
  }
}

function sayings({ token }: Target): readonly string[] {
  return [
    JSON.stringify({ type: 'auth', token }),
    JSON.stringify({ type: 'subscribe', channels: ['plugins', 'deployments'] }),
  ];
}

/** An announcement as our sockets send it. */
async function oneFrame(target: Target, edit: (edits: number) => Promise<unknown>): Promise<string> {
  const ws = new WebSocket(`${target.url.replace('http', 'ws')}/ws`);
  await once(ws, 'open');
  for (const text of sayings(target)) ws.send(text);
  for await (const [data] of on(ws, 'message') as AsyncIterable<[Buffer]>) {
    const { type } = JSON.parse(data.toString()) as { readonly type: string };
    if (type === 'subscribed') await edit(1);
    if (type !== 'plugin:edited') continue;
    ws.terminate();
    return data.toString();
  }
  throw new Error('nothing was told');
}
