/** Reads of a whole Slipway beside a bare Express server that answers the same bytes from memory behind the same middleware. */
import { openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from './child.ts';
import type { Canned } from './http/bare.ts';
import { bearer, exampleBody, loggedIn, registerDependency, type Target } from './http/client.ts';
import type { Load, Loaded } from './http/load.ts';
import { type Lag, type Ready, startSlipway } from './slipway.ts';
import { compared, type Row } from './table.ts';

const plugins = 2_000;
const requests = 8_000;
const rounds = 7;
/** Not counted: in them both sides run code that is not compiled yet. */
const warmUps = 2;

/** Every plugin is of the same category: the page must find its twenty among all. */
const paths = {
  plugin: '/api/v1/plugins/read-7',
  page: '/api/v1/plugins?category=PaymentGateway&status=Registered&limit=20',
} as const;

export async function benchReads(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const slipway = startSlipway(folder);
  const bare = startChild('http/bare.ts', { stderr: openSync('/dev/null', 'w') });
  const generator = startChild('http/load.ts');
  try {
    const ours = await loggedIn((await slipway.next<Ready>()).url);
    const reference = await bare.next<Target>();
    const ask = (
      target: Target,
      load: Pick<Load, 'method' | 'path' | 'body' | 'requests'>,
    ): Promise<Loaded> =>
      generator.ask<Loaded>({ url: target.url, headers: bearer(target), ...load } satisfies Load);

    await registerDependency(ours);
    const published = { method: 'POST', path: '/api/v1/plugins', body: exampleBody('read') } as const;
    const { last } = await ask(ours, { ...published, requests: plugins });
    await slipway.ask<Lag>({ since: last });
    const answers = { plugin: await read(ours, paths.plugin), page: await read(ours, paths.page) };
    await bare.ask(answers satisfies Canned);

    const rows: Row[] = [];
    for (const [name, path] of Object.entries(paths)) {
      const get = { method: 'GET', path, requests } as const;
      const measured = { ours: [0], reference: [0] };
      for (let round = -warmUps; round < rounds; round += 1) {
        if (round === 0) for (const list of Object.values(measured)) list.length = 0;
        const both = [
          async () => measured.ours.push((await ask(ours, get)).perSecond),
          async () => measured.reference.push((await ask(reference, get)).perSecond),
        ];
        for (const measure of round % 2 === 0 ? both : both.reverse()) await measure();
      }
      const what = `GET one ${name}, 50 connections (reference: Express, the same bytes)`;
      rows.push(compared(what, 'requests/s', measured.ours, measured.reference, { atLeast: 0.75 }));
    }
    return rows;
  } finally {
    await Promise.allSettled([slipway, bare, generator].map((child) => child.stop()));
    await rm(folder, { recursive: true });
  }
}

async function read(target: Target, path: string): Promise<string> {
  const response = await fetch(target.url + path, { headers: bearer(target) });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`);
  return text;
}
