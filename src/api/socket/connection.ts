/** One client: who it is, and the answers to what it says, in the order in which it says it. */
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import type { Clock } from '../../ports/clock.ts';
import type { EventStore } from '../../ports/event-store.ts';
import type { Authenticated, Authentication } from '../authentication.ts';
import { Problem, type ProblemKind, problemOf } from '../http/problem.ts';
import { authenticated, namedChannels, permitted, wanted } from './access.ts';
import type { Feed } from './feed.ts';
import {
  parseClientFrame,
  serverFrame,
  type ClientFrame,
  type ServerFrame,
  type Subscribe,
} from './frames.ts';
import type { History } from './history.ts';
import type { Place } from './places.ts';
import { errorCode, type ErrorBody, type ErrorCode } from './refusals.ts';
import { createSubscriptions, cursorSince } from './subscriptions.ts';
import { closing, openWire, type Closing } from './wire.ts';

export interface ConnectionDeps {
  readonly authentication: Authentication;
  readonly feed: Feed;
  readonly history: History;
  readonly store: Pick<EventStore, 'head' | 'compare'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Connection {
  /** Null until it has said who it is. */
  readonly principal: Authenticated | null;
  /** What it was authenticated by holds no more. */
  revoke(): void;
  /** Whether it still holds is asked anew. */
  recheck(): Promise<void>;
  close(code: Closing, reason: string): void;
  /** Cuts it off. */
  cut(): void;
  /** Called about once a second. */
  check(): void;
}

/** Milliseconds within which a client must say who it is. */
const authenticateWithinMs = 10_000;
/** Refusals after which there is nothing to say: whether somebody may listen was not found out. */
const closingOf: Partial<Record<ProblemKind, Closing>> = {
  Unauthenticated: closing.unauthenticated,
  Unavailable: closing.comeBack,
  Internal: closing.comeBack,
};
/** So many frames, pings among them, may a client send in a window. */
const mostTalk = 100;
const talkWindowMs = 10_000;
/** Frames that wait: for those before them, or for the authentication. */
const mostQueued = 32;

/**
 * @param asked.credentials from the headers of the upgrade; null: there were none
 * @param asked.ended called once, when the connection is gone
 */
export function openConnection(
  deps: ConnectionDeps,
  asked: {
    readonly ws: WebSocket;
    readonly socket: Duplex;
    readonly place: Place;
    readonly correlationId: string;
    readonly credentials: string | null;
    readonly ended: () => void;
  },
): Connection {
  const { authentication, feed, store, clock } = deps;
  const { place, correlationId } = asked;
  const logger = deps.logger.child({ correlationId });
  const openedAt = clock.monotonic();
  const queue: ClientFrame[] = [];
  let principal: Authenticated | null = null;
  let working = false;
  let talk = { began: openedAt, frames: 0 };

  const wire = openWire(asked.ws, asked.socket, clock, {
    frame(bytes, isBinary) {
      if (!mayTalk()) return;
      if (isBinary)
        refuse('VALIDATION_ERROR', 'Send frames of text, each an object of JSON', closing.notText);
      else receive(bytes);
    },
    ping: () => void mayTalk(),
    slow: () => end(closing.comeBack, 'too slow: come back with since'),
    ended(code) {
      subscriptions.dropAll();
      place.leave();
      asked.ended();
      const ms = Math.round(clock.monotonic() - openedAt);
      logger.info({ user: principal?.userId ?? null, code, ms }, 'socket closed');
    },
  });
  const subscriptions = createSubscriptions({
    ...deps,
    compare: (a, b) => store.compare(a, b),
    outlet: wire,
    failed(error) {
      logger.error({ err: error }, 'a socket could not be told what it missed');
      refuse('SERVICE_UNAVAILABLE', 'What you missed cannot be read just now: come back', closing.comeBack);
    },
  });

  function timestamp(): string {
    return new Date(clock.now()).toISOString();
  }

  function say(frame: ServerFrame): void {
    wire.send(serverFrame(frame, timestamp()));
  }

  /** @param close null: the client may go on */
  function refuse(
    code: ErrorCode,
    message: string,
    close: Closing | null = null,
    details: ErrorBody['details'] = {},
  ): void {
    const error = { code, message, details, requestId: correlationId, timestamp: timestamp() };
    say({ type: 'error', error });
    if (close !== null) end(close, code);
  }

  function end(code: Closing, reason: string): void {
    queue.length = 0;
    subscriptions.dropAll();
    wire.close(code, reason);
  }

  function mayTalk(): boolean {
    const now = clock.monotonic();
    if (now - talk.began >= talkWindowMs) talk = { began: now, frames: 0 };
    talk.frames += 1;
    if (talk.frames <= mostTalk) return true;
    refuse('RATE_LIMIT_EXCEEDED', `Send at most ${mostTalk} frames in 10 seconds`, closing.abuse);
    return false;
  }

  function receive(bytes: Buffer): void {
    try {
      enqueue(parseClientFrame(bytes));
    } catch (error) {
      refuseFor(error);
    }
  }

  function enqueue(frame: ClientFrame): void {
    if (queue.length >= mostQueued) {
      refuse('RATE_LIMIT_EXCEEDED', `At most ${mostQueued} frames may wait to be answered`, closing.abuse);
      return;
    }
    queue.push(frame);
    if (!working) void work();
  }

  async function work(): Promise<void> {
    working = true;
    for (let frame = nextFrame(); frame && wire.open; frame = nextFrame())
      await answer(frame).catch(refuseFor);
    working = false;
  }

  /** Until it is known who asks, all but the answer to that waits (decisions 12). */
  function nextFrame(): ClientFrame | undefined {
    const index = principal ? 0 : queue.findIndex(({ type }) => type === 'auth' || type === 'ping');
    return index === -1 ? undefined : queue.splice(index, 1)[0];
  }

  function refuseFor(error: unknown): void {
    const { kind, message, details, cause } = problemOf(error);
    if (kind === 'Internal') logger.error({ err: cause }, 'a frame of a socket could not be answered');
    const fields = Object.fromEntries(details.map(({ field, message: wrong }) => [field, wrong]));
    refuse(errorCode(kind), message, closingOf[kind] ?? null, fields);
  }

  async function answer(frame: ClientFrame): Promise<void> {
    switch (frame.type) {
      case 'ping':
        say({ type: 'pong' });
        return;
      case 'auth':
        await authenticate(frame.token);
        return;
      case 'subscribe':
        if (principal) await answerSubscribe(principal, frame);
        return;
      case 'unsubscribe': {
        const { known, unknown } = namedChannels(frame.channels);
        subscriptions.drop(known);
        say({ type: 'unsubscribed', channels: known, unknown });
        return;
      }
    }
  }

  async function authenticate(text: string): Promise<void> {
    const found = await authenticated(authentication, text);
    if (!principal) {
      if (!place.take(found.userId)) {
        refuse('RATE_LIMIT_EXCEEDED', 'You have too many sockets open: close one', closing.tooMany);
        return;
      }
    } else if (
      found.userId !== principal.userId ||
      found.permissions.symmetricDifference(principal.permissions).size > 0
    ) {
      throw new Problem('Forbidden', 'This socket is another user’s, or may do other things: open a new one');
    }
    principal = found;
    // What was ended before this socket could be found and closed is ended now.
    if (!(await authentication.holds(found))) {
      revoke();
      return;
    }
    const { userId, tenant: tenantId, expiresAt } = found;
    say({ type: 'authenticated', userId, tenantId, expiresAt: expiresAt.toISOString() });
  }

  async function answerSubscribe(by: Authenticated, frame: Subscribe): Promise<void> {
    const { known, unknown } = namedChannels(frame.channels);
    const { allowed, denied } = permitted(known, by);
    const wants = wanted(by, frame.filter);
    const since = frame.since === undefined ? null : await cursorSince(frame.since, store);
    if (frame.since !== undefined && since === null) {
      const message =
        'The position is none of this log: subscribe without since, and ask over HTTP how things are now';
      refuse('POSITION_UNKNOWN', message, null, { since: 'is none of this log' });
      return;
    }
    const position = frame.since ?? feed.position;
    say({ type: 'subscribed', channels: allowed, unknown, denied, position });
    if (wire.open) subscriptions.begin({ channels: allowed, wants, since });
  }

  function revoke(): void {
    refuse(
      'AUTH_TOKEN_EXPIRED',
      'The session or API key has ended: authenticate anew',
      closing.unauthenticated,
    );
  }

  if (asked.credentials !== null) enqueue({ type: 'auth', token: asked.credentials });
  return {
    get principal() {
      return principal;
    },
    revoke,
    async recheck() {
      if (principal && wire.open && !(await authentication.holds(principal))) revoke();
    },
    close: end,
    cut: () => wire.cut(),
    check() {
      if (principal && principal.expiresAt.getTime() <= clock.now()) revoke();
      else if (!principal && clock.monotonic() - openedAt >= authenticateWithinMs)
        refuse(
          'AUTH_INVALID_CREDENTIALS',
          'Send an auth frame first, within 10 seconds',
          closing.unauthenticated,
        );
      wire.check();
    },
  };
}
