/** The socket that the application listens on, and how it lets go of it. */
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { defaultConnectionLimits, limitConnections, type ConnectionLimits } from './connection-limits.ts';
import type { Malformed } from './malformed.ts';

export interface HttpServer {
  /** `http://127.0.0.1:3000` */
  readonly url: string;
  readonly port: number;
  /** Answers on, and with every answer asks its client to come back by another connection. */
  wane(): void;
  /**
   * Accepts nothing new, lets running requests end, closes idle connections; what still runs after the time allowed is cut off.
   * Resolves when no connection is left, those that were handed over among them. Idempotent.
   */
  stop(): Promise<void>;
}

/** Who takes connections over that become something else than HTTP. */
export interface Upgrades {
  /** Whether the request asks for it; all others go to the application. */
  asks(request: IncomingMessage): boolean;
  /** From here on the connection is the taker's, who ends it. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

export interface HttpServerOptions {
  readonly app: RequestListener;
  /** Default: every request is HTTP and stays so. */
  readonly upgrades?: Upgrades;
  /** Answers what never becomes a request; default: as Node does. */
  readonly malformed?: Malformed;
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
  /** Default: none is. Proxies have more connections than others. */
  readonly isTrustedProxy?: (address: string) => boolean;
  readonly limits?: ConnectionLimits;
  /** How long running requests may take once `stop` is called, default 10,000. */
  readonly drainMs?: number;
}

const sweepMs = 20;

/** @throws when the address is in use or not ours (`EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`) */
export async function createHttpServer({
  app,
  upgrades,
  malformed,
  host,
  port,
  drainMs = 10_000,
  isTrustedProxy = () => false,
  limits = defaultConnectionLimits,
}: HttpServerOptions): Promise<HttpServer> {
  let stopping: Promise<void> | null = null;
  let waning = false;
  const running = new Set<ServerResponse>();
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    if (waning) response.setHeader('Connection', 'close');
    running.add(response);
    response.once('close', () => running.delete(response));
    app(request, response);
  };
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: limits.checkMs,
      maxHeaderSize: 16_384,
      // Without this, whoever asks for h2c would be handed over as well, and answered by nobody.
      shouldUpgradeCallback: (request: IncomingMessage) => upgrades?.asks(request) === true,
      // Node's own answer would carry none of our headers: the application refuses it.
      requireHostHeader: false,
    },
    answer,
  );
  limitConnections(server, limits, isTrustedProxy);
  if (upgrades)
    server.on('upgrade', (request, socket, head) => {
      upgrades.take(request, socket, head);
    });
  // Expectations that nobody knows are no reason to refuse (RFC 9110, 10.1.1), least of all in another format.
  server.on('checkExpectation', answer);
  if (malformed)
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
      const hasBegun = [...running].some((response) => response.socket === socket && response.headersSent);
      if (error.code === 'ECONNRESET' || !socket.writable || hasBegun) socket.destroy(error);
      else malformed(error, socket);
    });
  const listening = Promise.withResolvers<undefined>();
  server.once('error', listening.reject);
  server.listen(port, host, () => listening.resolve(undefined));
  await listening.promise;
  server.off('error', listening.reject);

  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const shownHost = host.includes(':') ? `[${host}]` : host;

  function wane(): void {
    waning = true;
    // Or a client would send its next request on a connection that is about to go.
    for (const response of running) if (!response.headersSent) response.setHeader('Connection', 'close');
  }

  async function drain(): Promise<void> {
    wane();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    server.close(() => resolve(undefined));
    server.closeIdleConnections();
    // A connection whose request was running when the stop began is idle later, not closed.
    const sweep = setInterval(() => server.closeIdleConnections(), sweepMs);
    const force = setTimeout(() => server.closeAllConnections(), drainMs);
    await promise;
    clearInterval(sweep);
    clearTimeout(force);
  }

  return {
    url: `http://${shownHost}:${address.port}`,
    port: address.port,
    wane,
    stop: () => (stopping ??= drain()),
  };
}
