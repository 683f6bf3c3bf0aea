/** All sockets of this server: how they come to be, who ends them, and how they end together. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import type { Sessions } from '../../core/sessions.ts';
import type { EventStore, RecordedEvent } from '../../ports/event-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Announcer } from '../../projections/announcements/announcer.ts';
import type { Authenticated, Authentication } from '../authentication.ts';
import { addressOf } from '../http/address.ts';
import { correlationIdOf, problemAnswer } from '../http/exchange.ts';
import { Problem, type ProblemKind } from '../http/problem.ts';
import type { Upgrades } from '../http/server.ts';
import { idpErrors } from '../idp/errors.ts';
import { openConnection, type Connection } from './connection.ts';
import { startFeed } from './feed.ts';
import { createHistory } from './history.ts';
import { createPlaces, type SocketLimits } from './places.ts';
import { createRenderer } from './renderer.ts';
import { asksForSocket, credentialsIn, mayConnect, refuseUpgrade, socketPath } from './upgrade.ts';
import { closing } from './wire.ts';

export interface SocketsOptions {
  readonly store: Pick<EventStore, 'head' | 'compare' | 'subscribe' | 'readAll'>;
  readonly announcer: Announcer;
  readonly authentication: Authentication;
  readonly sessions: Pick<Sessions, 'onEnd'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Until then upgrades are answered 503. */
  readonly isReady: () => boolean;
  /** Whose pages may connect, beside the server's own. */
  readonly origins: readonly string[];
  /** As of `HttpServices`. */
  readonly isTrustedProxy: (address: string) => boolean;
  readonly limits: SocketLimits;
}

export interface Sockets extends Upgrades {
  /** Takes no more, asks all to go, and cuts off who does not within two seconds. */
  stop(): Promise<void>;
}

/** No frame of a client needs more. Bytes. */
const largestFrame = 16 * 1024;
const checkEveryMs = 1_000;
/** Ends that this process was not told of (another's) are noticed after so many checks. */
const recheckEvery = 30;
/** Milliseconds for the other side to answer a close. */
const farewellMs = 30_000;
const stopWithinMs = 2_000;

const isOfUser = ({ stream }: RecordedEvent, { userId }: Authenticated): boolean =>
  stream === `user-${userId}`;

/** Recorded events that end sockets: whose, and how. */
const endings: Readonly<
  Record<
    string,
    {
      readonly of: (event: RecordedEvent, principal: Authenticated) => boolean;
      readonly end: (connection: Connection) => void;
    }
  >
> = {
  UserDisabled: { of: isOfUser, end: (connection) => connection.revoke() },
  UserRoleChanged: { of: isOfUser, end: (connection) => connection.revoke() },
  ApiKeyRevoked: {
    of: (event, principal) => isOfUser(event, principal) && event.data['keyId'] === principal.apiKeyId,
    end: (connection) => connection.revoke(),
  },
};

/** Listens to the log at once; sockets come with the upgrades that the HTTP server hands over. */
export async function openSockets(options: SocketsOptions): Promise<Sockets> {
  const { store, clock, logger, limits } = options;
  const connections = new Set<Connection>();
  const places = createPlaces(limits);
  const renderer = createRenderer({ announcer: options.announcer, log: logger });
  const history = createHistory({ store, renderer });
  const feed = await startFeed({
    ...{ store, renderer, clock, log: logger },
    others: { types: Object.keys(endings), see: endWhere },
  });
  const server = new WebSocketServer({
    ...{ noServer: true, clientTracking: false, perMessageDeflate: false },
    ...{ maxPayload: largestFrame, closeTimeout: farewellMs },
  });
  let stopped = false;
  let cancelCheck: (() => void) | null = null;
  let emptied = (): void => undefined;

  function endWhere(event: RecordedEvent): void {
    const ending = endings[event.type];
    for (const connection of connections)
      if (connection.principal && ending?.of(event, connection.principal)) ending.end(connection);
  }

  options.sessions.onEnd((sessionId) => {
    for (const connection of connections)
      if (connection.principal?.sessionId === sessionId) connection.revoke();
  });

  /** As long as there are sockets. */
  function check(round: number): void {
    cancelCheck = clock.after(checkEveryMs, () => {
      for (const connection of connections) connection.check();
      if (round % recheckEvery === 0) recheck();
      cancelCheck = null;
      if (connections.size > 0) check(round + 1);
    });
  }

  function recheck(): void {
    for (const connection of connections)
      connection.recheck().catch((error: unknown) => {
        logger.warn({ err: error }, 'whether a socket may stay could not be found out; it is asked again');
      });
  }

  function refuseWith(problem: Problem, socket: Duplex, correlationId: string): void {
    const exchange = { correlationId, route: socketPath };
    refuseUpgrade(socket, problemAnswer(problem, exchange, idpErrors, options), correlationId);
  }

  // What is wrong with a handshake, ws finds out.
  server.on('wsClientError', ({ message }, socket, request) => {
    const headers = { 'Sec-WebSocket-Version': '13' };
    refuseWith(new Problem('Invalid', message, { headers }), socket, correlationIdOf(request));
  });

  function take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const correlationId = correlationIdOf(request);
    const refuse = (kind: ProblemKind, message: string, headers: Problem['headers'] = {}): void =>
      refuseWith(new Problem(kind, message, { headers }), socket, correlationId);
    if (stopped || !options.isReady()) {
      refuse('Unavailable', 'The server is starting or stopping; try again');
      return;
    }
    if (!mayConnect(request.headers, options.origins)) {
      refuse('Forbidden', 'Pages of this origin may not connect; see CORS_ORIGINS');
      return;
    }
    const place = places.enter(addressOf(request, options.isTrustedProxy));
    if (place === 'full') {
      refuse('Unavailable', 'There are too many sockets; try again');
      return;
    }
    if (place === 'crowded') {
      const message = 'Too many sockets of your address have yet to authenticate';
      refuse('RateLimited', message, { 'Retry-After': '10' });
      return;
    }
    // Whatever becomes of the handshake; a connection gives its place back itself, and may do so twice.
    socket.once('close', () => place.leave());
    server.handleUpgrade(request, socket, head, (ws) => {
      const credentials = credentialsIn(request);
      const ended = (): void => {
        connections.delete(connection);
        if (connections.size === 0) emptied();
      };
      const connection = openConnection(
        { ...options, feed, history },
        { ws, socket, place, correlationId, credentials, ended },
      );
      connections.add(connection);
      if (cancelCheck === null) check(1);
    });
  }

  async function stop(): Promise<void> {
    stopped = true;
    cancelCheck?.();
    for (const connection of connections) connection.close(closing.goingAway, 'the server stops');
    await allGone();
    await feed.stop();
  }

  async function allGone(): Promise<void> {
    if (connections.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    emptied = () => resolve(undefined);
    const cut = setTimeout(() => connections.forEach((connection) => connection.cut()), stopWithinMs);
    await promise;
    clearTimeout(cut);
  }

  let stopping: Promise<void> | null = null;
  return { asks: asksForSocket, take, stop: () => (stopping ??= stop()) };
}
