/** The load generator: `POST /api/v1/plugins` over 50 connections, each request another plugin. */
import autocannon from 'autocannon';
import { RegisterPluginBody } from '../../src/api/plugin-manager/plugin-schemas.ts';
import { tell } from '../child.ts';

export interface Load {
  readonly url: string;
  readonly token: string;
  readonly requests: number;
  /** No two loads of a server have the same. */
  readonly name: string;
}

export interface Loaded {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p99: number;
  /** When the last answer came, in milliseconds since 1970. */
  readonly last: number;
}

const connections = 50;

async function load({ url, token, requests, name }: Load): Promise<Loaded> {
  // The Plugin Manager API's own example, with its dependency.
  const example = RegisterPluginBody.meta()?.['example'];
  const [head = '', tail = ''] = JSON.stringify(example).split('"payment-stripe"');
  if (tail === '') throw new Error('the example of the API has another pluginId now');
  let sent = 0;
  let last = 0;
  const started = performance.now();
  let ended = started;
  const { promise: done, resolve, reject } = Promise.withResolvers<autocannon.Result>();
  const options: autocannon.Options = {
    url,
    connections,
    amount: requests,
    requests: [
      {
        method: 'POST',
        path: '/api/v1/plugins',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        setupRequest: (request) => ({ ...request, body: `${head}"${name}-${sent++}"${tail}` }),
      },
    ],
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
