/** `GET /api/v1/marketplace/search` of a whole Slipway with 100,000 plugins beside one with 1,000. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { bearer, loggedIn, type Target } from './http/client.ts';
import { type Ready, startSlipway } from './slipway.ts';
import { compared, median, type Row } from './table.ts';
import { inTurns } from './turns.ts';

const [many, few] = [100_000, 1_000];
const rounds = 7;
/** Not counted: in them both sides run code that is not compiled yet. */
const warmUps = 2;
const askedOfEachKind = 25;

/**
 * Each kind is more than one in a hundred requests, so that the costliest decides the p99. No two requests of a round are the
 * same where the kind allows it.
 */
const kinds: readonly ((n: number) => string)[] = [
  () => 'q=payment', // in the names of half of them, in the descriptions of all
  () => 'q=payment&limit=100',
  () => 'q=payment&limit=100&offset=900',
  () => 'q=connects', // in all descriptions, in no name
  () => 'q=p',
  () => 'q=pay',
  () => 'q=paymen',
  () => 'q=paymnet',
  (n) => `q=maker${n}`, // in one name of a thousand
  () => 'q=maker', // how a thousand words begin
  (n) => `q=payment%20maker${n}`,
  () => 'q=payment%20gateway',
  () => 'q=payment%20invoice', // never together in a name
  () => 'q=gateway%20processor', // never together at all
  (n) => `q=nothing%20like%20it%20${n}`,
  () => 'q=the%20payment%20gateway%20for%20shops%20of%20customers%20in',
  (n) => `q=payment&tags=payment,tag-${n % 100}`,
  (n) => `q=payment&tags=parcel,tag-${n % 100}`,
  () => 'q=payment&category=Reporting&status=Registered',
  () => 'q=payment&category=Nothing',
];

export async function benchSearch(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
  const servers: Child[] = [];
  async function serving(plugins: number): Promise<Target> {
    const data = join(folder, String(plugins));
    // The first start makes keys and the first user.
    const first = startSlipway(data);
    await first.next<Ready>();
    await first.stop();
    const filling = startChild('search/fill.ts', { env: { SLIPWAY_DATA_DIR: data } });
    await filling.ask({ plugins });
    await filling.stop();
    const server = startSlipway(data);
    servers.push(server);
    return loggedIn((await server.next<Ready>()).url);
  }
  try {
    const [large, small] = [await serving(many), await serving(few)];
    const measure = async (target: Target) => {
      const times = (await ask(target)).sort((a, b) => a - b);
      return { p99: times[Math.floor(times.length * 0.99)] ?? Number.NaN, middle: median(times) };
    };
    const measured = await inTurns(
      { rounds, warmUps },
      () => measure(large),
      () => measure(small),
    );
    const all = (what: 'p99' | 'middle') =>
      [measured.ours.map((one) => one[what]), measured.reference.map((one) => one[what])] as const;
    const name = `search of ${many.toLocaleString('en')} plugins (reference: ${few.toLocaleString('en')})`;
    return [
      compared(`${name}, p99`, 'ms', ...all('p99'), { atMost: 5 }),
      compared(`${name}, median`, 'ms', ...all('middle'), null),
    ];
  } finally {
    await Promise.allSettled(servers.map((server) => server.stop()));
    await rm(folder, { recursive: true });
  }
}

/** One after the other. @returns how long each took, in milliseconds */
async function ask(target: Target): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < askedOfEachKind; n += 1)
    for (const kind of kinds) {
      const from = performance.now();
      const response = await fetch(`${target.url}/api/v1/marketplace/search?${kind(n)}`, {
        headers: bearer(target),
      });
      const body = await response.text();
      times.push(performance.now() - from);
      if (response.status !== 200) throw new Error(`${kind(n)} was answered by ${response.status}: ${body}`);
    }
  return times;
}
