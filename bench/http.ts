/** `POST /api/v1/plugins` of a whole Slipway, durable and with its projections running, beside a bare Express server. */
import { openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import type { Load, Loaded } from './http/load.ts';
import { adminPassword, type Lag, type Ready, startSlipway } from './slipway.ts';
import { alone, compared, median, type Row, row } from './table.ts';

interface Target {
  readonly url: string;
  readonly token: string;
}

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
    const ours = await loggedIn(await slipway.next<Ready>());
    const reference = await bare.next<Target>();
    await registerDependency(ours);

    const measured = { ours: [0], reference: [0], lags: [0], p99: [0] };
    for (let round = -warmUps; round < rounds; round += 1) {
      if (round === 0) for (const list of Object.values(measured)) list.length = 0;
      const name = `round-${round + warmUps}`;
      const both = [
        async () => {
          const loaded = await loadWith(generator, { ...ours, requests, name });
          measured.ours.push(loaded.perSecond);
          measured.p99.push(loaded.p99);
          measured.lags.push((await slipway.ask<Lag>({ since: loaded.last })).ms / 1000);
        },
        async () => {
          const { perSecond } = await loadWith(generator, { ...reference, requests, name });
          measured.reference.push(perSecond);
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

function loadWith(generator: Child, load: Load): Promise<Loaded> {
  return generator.ask<Loaded>(load);
}

async function loggedIn({ url }: Ready): Promise<Target> {
  const credentials = { username: 'admin@example.com', password: adminPassword };
  const answer = await post(`${url}/api/v1/authentication/login`, credentials);
  if (typeof answer !== 'object' || answer === null || !('token' in answer))
    throw new Error('the login answered no token');
  return { url, token: String(answer.token) };
}

/** What the example depends on. */
async function registerDependency({ url, token }: Target): Promise<void> {
  const version = { semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'DotNet8' } };
  await post(`${url}/api/v1/plugins`, { pluginId: 'core-payments', name: 'Core Payments', version }, token);
}

async function post(url: string, body: object, token?: string): Promise<unknown> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...authorization },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}
