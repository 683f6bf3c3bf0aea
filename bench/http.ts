/** `POST /api/v1/plugins` of a whole Slipway, durable and with its projections running, beside a bare Express server. */
import { withBoth } from './http/beside.ts';
import { exampleBody, type Target } from './http/client.ts';
import type { Lag } from './slipway.ts';
import { alone, compared, median, type Row, row } from './table.ts';
import { inTurns } from './turns.ts';

const requests = 6_000;

export function benchHttp(): Promise<Row[]> {
  return withBoth(async ({ ours, reference, slipway, ask }) => {
    const publish = (target: Target, round: number) =>
      ask(target, {
        ...{ method: 'POST', path: '/api/v1/plugins', requests },
        body: exampleBody(`round-${round}`),
      });
    const measured = await inTurns(
      { rounds: 7, warmUps: 2 },
      async (round) => {
        const { perSecond, p99, last } = await publish(ours, round);
        return { perSecond, p99, lag: (await slipway.ask<Lag>({ since: last })).ms / 1000 };
      },
      async (round) => (await publish(reference, round)).perSecond,
    );
    const lags = measured.ours.map(({ lag }) => lag);
    return [
      compared(
        'POST /api/v1/plugins, 50 connections (reference: Express, nothing stored)',
        'requests/s',
        measured.ours.map(({ perSecond }) => perSecond),
        measured.reference,
        { atLeast: 0.4 },
      ),
      row('lag of the read models at the end, median', 's', median(lags), 1, { atMost: 1 }),
      row('lag of the read models at the end, worst', 's', Math.max(...lags), 1, { atMost: 1 }),
      alone(
        'POST /api/v1/plugins, 50 connections, p99',
        'ms',
        measured.ours.map(({ p99 }) => p99),
      ),
    ];
  });
}
