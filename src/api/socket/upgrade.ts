/** From an HTTP request to a socket: who may ask for one, and how the others are told. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { RenderedAnswer } from '../http/answer.ts';
import { headersOfEveryAnswer } from '../http/exchange.ts';
import { timesSent } from '../http/raw-headers.ts';

export const socketPath = '/ws';

export function asksForSocket({ method, url = '', headers }: IncomingMessage): boolean {
  const [path] = url.split('?', 1);
  return method === 'GET' && path === socketPath && headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Browsers name the origin of the page that asks: its own, or one of `CORS_ORIGINS`, may. Who is no browser names none.
 * @param allowed `https://console.example.com`, …
 */
export function mayConnect({ origin, host }: IncomingHttpHeaders, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes(origin)) return true;
  const own = URL.parse(origin)?.host;
  return own !== undefined && own !== '' && own === host?.toLowerCase();
}

/** For programs, which can send headers with the upgrade; browsers send an `auth` frame. */
export function credentialsIn({
  headers,
  rawHeaders,
}: Pick<IncomingMessage, 'headers' | 'rawHeaders'>): string | null {
  const { authorization, 'x-api-key': key } = headers;
  // Of two, Node keeps the first, and a proxy in front may have judged by the last: a frame has to say.
  if (timesSent('authorization', rawHeaders) > 1) return null;
  return authorization ?? (typeof key === 'string' ? key : null);
}

/** Answers in HTTP instead, and ends the connection. */
export function refuseUpgrade(
  socket: Duplex,
  { status, headers, text }: RenderedAnswer,
  correlationId: string,
): void {
  const body = text ?? '';
  const all = {
    Connection: 'close',
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    ...headersOfEveryAnswer,
    'X-Correlation-Id': correlationId,
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  socket.on('error', () => undefined);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}
