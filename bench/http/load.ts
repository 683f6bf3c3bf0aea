/** The load generator: one kind of request, over and over, on 50 connections. */
import autocannon from 'autocannon';
import { tell } from '../child.ts';

export interface Load {
  readonly url: string;
  readonly method: 'GET' | 'POST' | 'PUT';
  /** In path and body, every `%n` is the number of the request, from 0. */
  readonly path: string;
  readonly body?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly requests: number;
  /** Default 50. */
  readonly connections?: number;
}

export interface Loaded {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p99: number;
  /** When the last answer came, in milliseconds since 1970. */
  readonly last: number;
}

async function load(asked: Load): Promise<Loaded> {
  const { url, method, requests, connections = 50 } = asked;
  const path = asked.path.split('%n');
  const body = asked.body?.split('%n');
  const headers = { ...asked.headers, ...(body && { 'content-type': 'application/json' }) };
  let sent = 0;
  let last = 0;
  const started = performance.now();
  let ended = started;
  const numbered = (request: autocannon.Request): autocannon.Request => {
    const n = String(sent++);
    return { ...request, path: path.join(n), ...(body && { body: body.join(n) }) };
  };
  const isNumbered = path.length > 1 || (body?.length ?? 0) > 1;
  const { promise: done, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const options: autocannon.Options = {
    url,
    connections,
    amount: requests,
    timeout: 60,
    requests: [{ method, path: asked.path, headers, ...(isNumbered && { setupRequest: numbered }) }],
  };
  const run = autocannon(options, (error: Error | null, result) => (error ? reject(error) : resolve(result)));
  run.on('response', () => {
    ended = performance.now();
    last = Date.now();
  });
  const result = await done;
  if (result['2xx'] !== requests) {
    throw new Error(
      `${result['2xx']} of ${requests} requests were answered by a 2xx: ${JSON.stringify(result.statusCodeStats)}`,
    );
  }
  return { perSecond: (requests / (ended - started)) * 1000, p99: result.latency.p99, last };
}

process.on('message', (message: Load) => {
  void load(message).then(tell);
});
process.once('SIGTERM', () => process.exit(0));
