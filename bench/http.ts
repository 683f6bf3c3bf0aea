/** `POST /api/v1/plugins` of a whole Slipway, durable and with its projections running, beside a bare Express server. */
import { openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from './child.ts';
import { bearer, exampleBody, loggedIn, registerDependency, type Target } from './http/client.ts';
import type { Load, Loaded } from './http/load.ts';
import { type Lag, type Ready, startSlipway } from './slipway.ts';
import { alone, compared, median, type Row, row } from './table.ts';

const requests = 6_000;
const rounds = 7;
/** Not counted: in them both sides run code that is not compiled yet. */
const warmUps = 2;

export async function benchHttp(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const slipway = startSlipway(folder);
  const bare = startChild('http/bare.ts', { stderr: openSync('/dev/null', 'w') });
  const generator = startChild('http/load.ts');
  try {
    const ours = await loggedIn((await slipway.next<Ready>()).url);
    const reference = await bare.next<Target>();
    await registerDependency(ours);
    const publish = (target: Target, name: string): Promise<Loaded> =>
      generator.ask<Loaded>({
        ...{ url: target.url, method: 'POST', path: '/api/v1/plugins', requests },
        ...{ headers: bearer(target), body: exampleBody(name) },
      } satisfies Load);

    const measured = { ours: [0], reference: [0], lags: [0], p99: [0] };
    for (let round = -warmUps; round < rounds; round += 1) {
      if (round === 0) for (const list of Object.values(measured)) list.length = 0;
      const name = `round-${round + warmUps}`;
      const both = [
        async () => {
          const loaded = await publish(ours, name);
          measured.ours.push(loaded.perSecond);
          measured.p99.push(loaded.p99);
          measured.lags.push((await slipway.ask<Lag>({ since: loaded.last })).ms / 1000);
        },
        async () => {
          measured.reference.push((await publish(reference, name)).perSecond);
        },
      ];
      for (const measure of round % 2 === 0 ? both : both.reverse()) await measure();
    }
    return [
      compared(
        'POST /api/v1/plugins, 50 connections (reference: Express, nothing stored)',
        'requests/s',
        measured.ours,
        measured.reference,
        { atLeast: 0.4 },
      ),
      row('lag of the read models at the end, median', 's', median(measured.lags), 1, { atMost: 1 }),
      row('lag of the read models at the end, worst', 's', Math.max(...measured.lags), 1, { atMost: 1 }),
      alone('POST /api/v1/plugins, 50 connections, p99', 'ms', measured.p99),
    ];
  } finally {
    await Promise.allSettled([slipway, bare, generator].map((child) => child.stop()));
    await rm(folder, { recursive: true });
  }
}
