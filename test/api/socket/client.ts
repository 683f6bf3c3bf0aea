/** A client of the socket for tests: what it is told is kept until somebody asks for it. */
import { once } from 'node:events';
import WebSocket, { type ClientOptions } from 'ws';
import { z } from 'zod';

/** Any frame; `error` of error frames. */
const Frame = z.looseObject({
  type: z.string(),
  timestamp: z.iso.datetime(),
  position: z.string().optional(),
  data: z.record(z.string(), z.unknown()).optional(),
  error: z.looseObject({ code: z.string(), message: z.string() }).optional(),
});
export type Frame = z.output<typeof Frame>;

export interface SocketClient {
  readonly ws: WebSocket;
  /** All frames so far, those that were asked for among them. */
  readonly frames: readonly Frame[];
  send(frame: object): void;
  sendRaw(data: string | Buffer): void;
  /** The next frame that nobody asked for yet. Rejects when the socket closes instead. */
  next(): Promise<Frame>;
  /** The next of this type; those before it are passed over. */
  nextOf(type: string): Promise<Frame>;
  /** Authenticates and waits for the answer. */
  authenticate(token: string): Promise<Frame>;
  /** Subscribes and waits for the answer. */
  subscribe(channels: readonly string[], more?: object): Promise<Frame>;
  /** Resolves with the code it is closed with. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  close(): Promise<void>;
}

export function socketUrl(url: string): string {
  return `${url.replace('http', 'ws')}/ws`;
}

/** Resolves when it is open. @param url of the server, `http://…` */
export async function openSocket(url: string, options: ClientOptions = {}): Promise<SocketClient> {
  const ws = new WebSocket(socketUrl(url), options);
  const client = socketClient(ws);
  await once(ws, 'open');
  return client;
}

export function socketClient(ws: WebSocket): SocketClient {
  const frames: Frame[] = [];
  let taken = 0;
  let wake = (): void => undefined;
  const closed = once(ws, 'close').then(([code, reason]) => {
    wake();
    return { code: Number(code), reason: String(reason) };
  });
  ws.on('message', (data: Buffer) => {
    frames.push(Frame.parse(JSON.parse(data.toString())));
    wake();
  });
  ws.on('error', () => undefined);

  async function next(): Promise<Frame> {
    while (frames.length <= taken) {
      if (ws.readyState === WebSocket.CLOSED) throw new Error('the socket was closed');
      await new Promise<void>((resolve) => (wake = resolve));
    }
    const frame = frames[(taken += 1) - 1];
    if (!frame) throw new Error('no frame');
    return frame;
  }

  async function nextOf(type: string): Promise<Frame> {
    for (let frame = await next(); ; frame = await next()) if (frame.type === type) return frame;
  }

  const send = (frame: object): void => ws.send(JSON.stringify(frame));
  return {
    ws,
    frames,
    send,
    sendRaw: (data) => ws.send(data),
    next,
    nextOf,
    async authenticate(token) {
      send({ type: 'auth', token });
      return nextOf('authenticated');
    },
    async subscribe(channels, more = {}) {
      send({ type: 'subscribe', channels, ...more });
      return nextOf('subscribed');
    },
    closed,
    async close() {
      ws.terminate();
      await closed;
    },
  };
}
