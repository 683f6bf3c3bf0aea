/** One socket as frames: what waits to be sent on it is bounded, and who does not listen any more is noticed. */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Clock } from '../../ports/clock.ts';
import type { Outlet } from './subscription.ts';

/** Why the server closes a socket. Below 4000 they are RFC 6455's. */
export const closing = {
  goingAway: 1001,
  notText: 1003,
  abuse: 1008,
  /** It was too slow, or something does not work just now. */
  comeBack: 1013,
  unauthenticated: 4401,
  tooMany: 4429,
} as const;
export type Closing = (typeof closing)[keyof typeof closing];

export interface Wire extends Outlet {
  readonly open: boolean;
  /** Sends no more, and closes. Does nothing when it is closed already. */
  close(code: Closing, reason: string): void;
  /** Cuts the connection. */
  cut(): void;
  /** Asked about once a second: finds out whether the other side is still there. */
  check(): void;
}

/** Beyond so many bytes the socket must take what waits before it is sent more. */
const mostWaiting = 128 * 1024;
/** How long that may take. */
const patienceMs = 10_000;
const heartbeatMs = 30_000;
const asText = { binary: false, compress: false };

/** @param on.text a frame of the other side @param on.ended the connection is gone */
export function openWire(
  ws: WebSocket,
  /** That the frames travel on. */
  socket: Duplex,
  clock: Pick<Clock, 'monotonic'>,
  on: {
    readonly frame: (bytes: Buffer, isBinary: boolean) => void;
    /** What waits was not taken in time: close it. */
    readonly slow: () => void;
    /** The other side asked whether we are there, which ws answers. */
    readonly ping: () => void;
    readonly ended: (code: number) => void;
  },
): Wire {
  let open = true;
  let heardAt = clock.monotonic();
  let pingedAt = heardAt;
  let emptying: { readonly since: number; readonly done: Promise<void> } | null = null;

  ws.on('message', (data, isBinary) => {
    heardAt = clock.monotonic();
    if (open && Buffer.isBuffer(data)) on.frame(data, isBinary);
  });
  ws.on('pong', () => (heardAt = clock.monotonic()));
  ws.on('ping', () => {
    heardAt = clock.monotonic();
    if (open) on.ping();
  });
  // What breaks the protocol, or is too large, ws answers with a code of its own, and closes.
  ws.on('error', () => undefined);
  ws.on('close', (code) => {
    open = false;
    on.ended(code);
  });

  function close(code: Closing, reason: string): void {
    if (!open) return;
    open = false;
    ws.close(code, reason);
  }

  function emptied(): Promise<void> {
    if (emptying) return emptying.done;
    if (!open || !socket.writableNeedDrain) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      emptying = null;
      resolve(undefined);
    };
    socket.on('drain', done).on('close', done);
    emptying = { since: clock.monotonic(), done: promise };
    return promise;
  }

  return {
    get open() {
      return open;
    },
    get full() {
      return socket.writable && socket.writableLength > mostWaiting;
    },
    send(text) {
      if (open) ws.send(text, asText);
    },
    emptied,
    close,
    cut: () => ws.terminate(),
    check() {
      if (!open) return;
      const now = clock.monotonic();
      if (emptying && now - emptying.since >= patienceMs) {
        on.slow();
        return;
      }
      if (now - pingedAt < heartbeatMs) return;
      if (heardAt < pingedAt) {
        ws.terminate();
        return;
      }
      pingedAt = now;
      ws.ping();
    },
  };
}
