/** Reads of a whole Slipway beside a bare Express server that answers the same bytes from memory behind the same middleware. */
import type { Canned } from './http/bare.ts';
import { withBoth } from './http/beside.ts';
import { bearer, exampleBody, type Target } from './http/client.ts';
import type { Lag } from './slipway.ts';
import { compared, type Row } from './table.ts';
import { inTurns } from './turns.ts';

const plugins = 2_000;
const requests = 8_000;

/** Every plugin is of the same category: the page must find its twenty among all. */
const paths = {
  plugin: '/api/v1/plugins/read-7',
  page: '/api/v1/plugins?category=PaymentGateway&status=Registered&limit=20',
} as const;

export function benchReads(): Promise<Row[]> {
  return withBoth(async ({ ours, reference, slipway, bare, ask }) => {
    const published = { method: 'POST', path: '/api/v1/plugins', body: exampleBody('read') } as const;
    const { last } = await ask(ours, { ...published, requests: plugins });
    await slipway.ask<Lag>({ since: last });
    const answers = { plugin: await read(ours, paths.plugin), page: await read(ours, paths.page) };
    await bare.ask(answers satisfies Canned);

    const rows: Row[] = [];
    for (const [name, path] of Object.entries(paths)) {
      const perSecond = async (target: Target): Promise<number> =>
        (await ask(target, { method: 'GET', path, requests })).perSecond;
      const measured = await inTurns(
        { rounds: 7, warmUps: 2 },
        () => perSecond(ours),
        () => perSecond(reference),
      );
      const what = `GET one ${name}, 50 connections (reference: Express, the same bytes)`;
      rows.push(compared(what, 'requests/s', measured.ours, measured.reference, { atLeast: 0.75 }));
    }
    return rows;
  });
}

async function read(target: Target, path: string): Promise<string> {
  const response = await fetch(target.url + path, { headers: bearer(target) });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`);
  return text;
}
