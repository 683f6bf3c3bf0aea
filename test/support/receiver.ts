/** Somebody else's HTTP server on the loopback: it answers as the test says and keeps what it got. */
import { createServer as createHttp, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly port: number;
  /** `http://127.0.0.1:{port}` */
  readonly url: string;
  /** Whole requests, the oldest first. */
  readonly received: readonly Received[];
  /** How many connections were ever made. */
  readonly connections: number;
  close(): Promise<void>;
}

/** @param answer default: 204; it may not answer at all @param tls PEM; without it, plain HTTP */
export async function openReceiver(
  answer: (...exchange: [...Parameters<RequestListener>, Received]) => void = (_request, response) =>
    response.writeHead(204).end(),
  tls?: { readonly key: string; readonly cert: string },
): Promise<Receiver> {
  const received: Received[] = [];
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      const whole = { method, path, headers, body: Buffer.concat(chunks).toString() };
      received.push(whole);
      answer(request, response, whole);
    });
  };
  const server = tls ? createHttps(tls, listener) : createHttp(listener);
  let connections = 0;
  server.on('connection', () => (connections += 1));
  const listening = Promise.withResolvers<undefined>();
  server.listen(0, '127.0.0.1', () => listening.resolve(undefined));
  await listening.promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the receiver has no port');
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    received,
    get connections() {
      return connections;
    },
    close: async () => {
      const closed = Promise.withResolvers<undefined>();
      server.close(() => closed.resolve(undefined));
      server.closeAllConnections();
      await closed.promise;
    },
  };
}
