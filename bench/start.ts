/** How long a server takes to start, and what it holds in memory, with a log of 1,000,000 events beside an empty one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from './child.ts';
import { type Ready, startSlipway } from './slipway.ts';
import { compared, median, type Row, row } from './table.ts';
import { inTurns } from './turns.ts';

const events = 1_000_000;
const rounds = 7;
const mebibyte = 2 ** 20;

export async function benchStart(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const [full, empty] = [join(folder, 'full'), join(folder, 'empty')];
  try {
    // The first start makes keys, the first user and the read models.
    for (const made of [full, empty]) await start(made);
    const filling = startChild('start/fill.ts', { env: { SLIPWAY_DATA_DIR: full } });
    await filling.ask({ events });
    await filling.stop();
    await start(full);

    const measured = await inTurns(
      { rounds, warmUps: 0 },
      () => start(full),
      () => start(empty),
    );
    const all = (what: 'ms' | 'rss') =>
      [measured.ours.map((one) => one[what]), measured.reference.map((one) => one[what])] as const;
    const [fullRss, emptyRss] = all('rss');
    const name = `a log of ${events.toLocaleString('en')} events`;
    const more = (median(fullRss) - median(emptyRss)) / mebibyte;
    return [
      compared(`${name}, start to ready (reference: empty)`, 'ms', ...all('ms'), {
        atMost: 1.5,
      }),
      row(`${name}, memory when ready beyond an empty one (reference: what it may be)`, 'MiB', more, 100, {
        atMost: 1,
      }),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** From the process's start until all its routes answer. */
async function start(folder: string): Promise<{ readonly ms: number; readonly rss: number }> {
  const from = performance.now();
  const child = startSlipway(folder);
  try {
    const { rss } = await child.next<Ready>();
    return { ms: performance.now() - from, rss: rss };
  } finally {
    await child.stop();
  }
}
