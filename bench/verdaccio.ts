/** A whole Slipway beside a Verdaccio, the registry that many run today: publishing, metadata of one, search. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from './child.ts';
import { bearer, exampleBody, loggedIn, registerDependency } from './http/client.ts';
import type { Load, Loaded } from './http/load.ts';
import { publishBody, startVerdaccio } from './peers/verdaccio.ts';
import { type Lag, type Ready, startSlipway } from './slipway.ts';
import { compared, type Row } from './table.ts';
import { inTurns } from './turns.ts';

const rounds = 5;
const published = 1_000;
const reads = 3_000;
/** Verdaccio walks through all of its packages for each. */
const searches = 10;

export async function benchVerdaccio(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const theirFolder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const slipway = startSlipway(folder);
  const generator = startChild('http/load.ts');
  const verdaccio = await startVerdaccio(theirFolder);
  try {
    const ours = await loggedIn((await slipway.next<Ready>()).url);
    await registerDependency(ours);
    type Asked = Omit<Load, 'url' | 'headers'>;
    const ask = (load: Load): Promise<Loaded> => generator.ask<Loaded>(load);
    const askUs = (load: Asked): Promise<Loaded> => ask({ url: ours.url, headers: bearer(ours), ...load });
    const askThem = (load: Asked): Promise<Loaded> => ask({ url: verdaccio.url, headers: {}, ...load });

    const taking = async (
      one: (round: number) => Promise<Loaded>,
      other: (round: number) => Promise<Loaded>,
    ) => {
      const measured = await inTurns(
        { rounds, warmUps: 2 },
        async (round) => (await one(round)).perSecond,
        async (round) => (await other(round)).perSecond,
      );
      return [measured.ours, measured.reference] as const;
    };

    const publishing = await taking(
      (round) =>
        askUs({
          ...{ method: 'POST', path: '/api/v1/plugins', requests: published },
          body: exampleBody(`round-${round}`),
        }),
      (round) =>
        askThem({
          ...{ method: 'PUT', path: `/round-${round}-%n`, requests: published },
          body: publishBody(`round-${round}`),
        }),
    );
    await slipway.ask<Lag>({ since: Date.now() });
    const metadata = await taking(
      () => askUs({ method: 'GET', path: '/api/v1/plugins/round-1-7', requests: reads }),
      () => askThem({ method: 'GET', path: '/round-1-7', requests: reads }),
    );
    const search = { method: 'GET', connections: 5 } as const;
    const searching = await taking(
      () => askUs({ ...search, path: '/api/v1/plugins?search=payments&limit=20', requests: searches * 40 }),
      () => askThem({ ...search, path: '/-/v1/search?text=payments&size=20', requests: searches }),
    );
    const unit = 'requests/s';
    return [
      compared('publish, 50 connections (reference: Verdaccio)', unit, ...publishing, { atLeast: 10 }),
      compared('metadata of one, 50 connections (reference: Verdaccio)', unit, ...metadata, { atLeast: 1.5 }),
      compared('search, 5 connections (reference: Verdaccio)', unit, ...searching, { atLeast: 100 }),
    ];
  } finally {
    await Promise.allSettled([slipway.stop(), generator.stop(), verdaccio.stop()]);
    await rm(folder, { recursive: true });
    await rm(theirFolder, { recursive: true });
  }
}
