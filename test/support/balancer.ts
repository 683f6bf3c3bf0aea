/** A small balancer: hands requests round to those servers that say that they are ready, and to the next one where none could be reached. */
import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';

export interface Balancer {
  readonly url: string;
  add(server: string): void;
  remove(server: string): void;
  /** Those that were ready when they were asked last. */
  readonly ready: readonly string[];
  close(): Promise<void>;
}

const askEveryMs = 100;

export async function openBalancer(): Promise<Balancer> {
  const servers = new Map<string, { isReady: boolean; readonly agent: Agent }>();
  let turn = 0;

  async function ask(server: string): Promise<void> {
    const known = servers.get(server);
    if (!known) return;
    const answer = await fetch(`${server}/ready`, { signal: AbortSignal.timeout(1_000) }).catch(() => null);
    known.isReady = answer?.status === 200;
  }

  function forward(
    request: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
    left: readonly string[],
  ): void {
    const [server, ...others] = left;
    if (server === undefined) {
      response.writeHead(502).end();
      return;
    }
    const { method, url: path = '/', headers } = request;
    const upstream = send(server + path, { method, headers, agent: servers.get(server)?.agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    upstream.on('error', (error: NodeJS.ErrnoException) => {
      // Only what never reached a server may be sent to another.
      if (error.code === 'ECONNREFUSED') forward(request, body, response, others);
      else if (!response.headersSent) response.writeHead(502).end(String(error));
      else response.destroy();
    });
    upstream.end(body);
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      turn += 1;
      const ready = [...servers].flatMap(([url, { isReady }]) => (isReady ? [url] : []));
      const from = turn % Math.max(1, ready.length);
      forward(request, Buffer.concat(chunks), response, [...ready.slice(from), ...ready.slice(0, from)]);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the balancer has no port');
  const asking = setInterval(() => void Promise.all([...servers.keys()].map(ask)), askEveryMs);
  return {
    url: `http://127.0.0.1:${address.port}`,
    add: (url) => void servers.set(url, { isReady: false, agent: new Agent({ keepAlive: true }) }),
    remove(url) {
      servers.get(url)?.agent.destroy();
      servers.delete(url);
    },
    get ready() {
      return [...servers].flatMap(([url, { isReady }]) => (isReady ? [url] : []));
    },
    async close() {
      clearInterval(asking);
      for (const { agent } of servers.values()) agent.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
