/** Many clients of a socket in a process of their own: some read all the time, some stop for a while. Told what to do over IPC. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';

export interface Crowd {
  /** Whoever was there before goes. Resolves when all are subscribed to plugins, and the slow ones have stopped reading. */
  open(crowd: {
    readonly url: string;
    readonly token: string;
    readonly fast: number;
    readonly slow: number;
  }): Promise<void>;
  /** Resolves when every fast one has been told of this plugin. */
  fastAt(slug: string): Promise<void>;
  /** The slow ones read again, until they are closed; come back with their last positions, and read up to the plugin. */
  wake(slug: string): Promise<CrowdReport>;
  close(): Promise<void>;
}

export interface CrowdReport {
  /** The plugins that each was told of, in order. */
  readonly fast: readonly (readonly string[])[];
  readonly slow: readonly (readonly string[])[];
  /** The codes with which the slow ones were closed. */
  readonly codes: readonly number[];
}

export function startCrowd(): Crowd {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), [], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const ended = once(child, 'exit');
  async function ask(message: object): Promise<unknown> {
    child.send(message);
    const [answer] = (await Promise.race([once(child, 'message'), ended.then(() => [null])])) as [unknown];
    if (answer === null) throw new Error('the crowd has ended');
    return answer;
  }
  return {
    open: async (crowd) => {
      await ask({ open: crowd });
    },
    fastAt: async (slug) => {
      await ask({ fastAt: slug });
    },
    wake: async (slug) => (await ask({ wake: slug })) as CrowdReport,
    async close() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

interface Client {
  readonly ws: WebSocket;
  readonly slugs: string[];
  /** Resolves when it has been told of it. */
  at(slug: string): Promise<void>;
}

let credentials = { url: '', token: '' };
const crowd: { fast: Client[]; slow: Client[] } = { fast: [], slow: [] };
const positions = new Map<Client, string>();

async function client(since: string | null, slugs: string[] = []): Promise<Client> {
  const ws = new WebSocket(`${credentials.url.replace('http', 'ws')}/ws`);
  const waiting = new Map<string, () => void>();
  const self: Client = {
    ws,
    slugs,
    at: (slug) =>
      slugs.includes(slug) ? Promise.resolve() : new Promise((resolve) => waiting.set(slug, resolve)),
  };
  const subscribed = Promise.withResolvers<undefined>();
  ws.on('error', () => undefined);
  ws.on('open', () => {
    ws.send(JSON.stringify({ type: 'auth', token: credentials.token }));
    // In two subscriptions, of which only the first has much to take.
    ws.send(JSON.stringify({ type: 'subscribe', channels: ['tenants'] }));
    ws.send(
      JSON.stringify({ type: 'subscribe', channels: ['plugins'], ...(since === null ? {} : { since }) }),
    );
  });
  ws.on('message', (text: Buffer) => {
    const frame = JSON.parse(text.toString()) as {
      type: string;
      position?: string;
      channels?: readonly string[];
      data?: { slug?: string };
    };
    if (frame.type === 'error') throw new Error(text.toString());
    const { slug } = frame.data ?? {};
    const isOfPlugins = slug !== undefined || frame.channels?.includes('plugins');
    if (isOfPlugins && frame.position !== undefined) positions.set(self, frame.position);
    if (isOfPlugins && frame.type === 'subscribed') subscribed.resolve(undefined);
    if (slug === undefined) return;
    slugs.push(slug);
    waiting.get(slug)?.();
  });
  await subscribed.promise;
  return self;
}

async function wake(slug: string): Promise<CrowdReport> {
  const codes = await Promise.all(
    crowd.slow.map(async ({ ws }) => {
      const closed = once(ws, 'close');
      ws.resume();
      const [code] = (await closed) as [number];
      return code;
    }),
  );
  const again = await Promise.all(
    crowd.slow.map((before) => client(positions.get(before) ?? null, before.slugs)),
  );
  crowd.slow = again;
  await Promise.all(again.map((one) => one.at(slug)));
  const told = (clients: readonly Client[]) => clients.map(({ slugs }) => slugs);
  return { fast: told(crowd.fast), slow: told(again), codes };
}

async function obey(message: {
  readonly open?: {
    readonly url: string;
    readonly token: string;
    readonly fast: number;
    readonly slow: number;
  };
  readonly fastAt?: string;
  readonly wake?: string;
}): Promise<unknown> {
  if (message.open) {
    for (const { ws } of [...crowd.fast, ...crowd.slow]) ws.terminate();
    credentials = message.open;
    const { fast, slow } = message.open;
    crowd.fast = await Promise.all(Array.from({ length: fast }, () => client(null)));
    crowd.slow = await Promise.all(Array.from({ length: slow }, () => client(null)));
    for (const { ws } of crowd.slow) ws.pause();
  }
  const { fastAt } = message;
  if (fastAt !== undefined) await Promise.all(crowd.fast.map((one) => one.at(fastAt)));
  return message.wake === undefined ? {} : wake(message.wake);
}

if (import.meta.main)
  process.on('message', (message: Parameters<typeof obey>[0]) => {
    void obey(message).then((answer) => process.send?.(answer as object));
  });
