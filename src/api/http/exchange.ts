/** One request and its answer: the id that connects them with every effect, the line in the log, the bytes that go out. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from 'pino';
import { rendered } from './answer.ts';
import type { Answer, RenderedAnswer } from './answer.ts';
import { problemOf } from './problem.ts';
import type { Problem, ProblemKind } from './problem.ts';

export interface Exchange {
  /** The caller's `X-Correlation-Id` where it is harmless, else a fresh UUID: the `traceId` of errors. */
  readonly correlationId: string;
  /** The route as it was declared, never the path: ids stay out of the log's index. */
  route: string | null;
}

/** How a face spells a problem. @param trace for the body; `timestamp` is ISO 8601 */
export type ProblemRenderer = (
  problem: Problem,
  trace: { readonly traceId: string; readonly timestamp: string },
) => Answer;

const harmless = /^[\w.:/+=@-]{1,128}$/;

/** On every answer. No HSTS: whoever terminates TLS in front of this server sends it. */
export const headersOfEveryAnswer: readonly (readonly [string, string])[] = [
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'"],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Cache-Control', 'no-store'],
];

const headersOfKind: Readonly<Partial<Record<ProblemKind, Readonly<Record<string, string>>>>> = {
  Unauthenticated: { 'WWW-Authenticate': 'Bearer' },
  Unavailable: { 'Retry-After': '1' },
};

const exchangeKey = Symbol('exchange');

/** A request that carries its exchange: what a map beside the requests would cost the collection of garbage, every request would pay. */
interface Begun extends IncomingMessage {
  [exchangeKey]?: Exchange;
}

/** Starts the exchange of a request: headers of every answer, and the line in the log when it has ended. */
export function beginExchange(
  request: Begun,
  response: ServerResponse,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): void {
  const correlationId = correlationIdOf(request);
  const exchange: Exchange = { correlationId, route: null };
  request[exchangeKey] = exchange;
  for (const [name, value] of headersOfEveryAnswer) response.setHeader(name, value);
  response.setHeader('X-Correlation-Id', correlationId);
  if (!logger.isLevelEnabled('info')) return;
  const started = clock.monotonic();
  response.once('close', () => {
    logger.info(
      {
        correlationId,
        method: request.method,
        route: exchange.route,
        status: response.statusCode,
        ms: Math.round((clock.monotonic() - started) * 100) / 100,
        ...(response.writableFinished ? {} : { aborted: true }),
      },
      'request',
    );
  });
}

/** As the caller says, or a fresh one: ask once a request. */
export function correlationIdOf({ headers }: IncomingMessage): string {
  const sent = headers['x-correlation-id'];
  return typeof sent === 'string' && harmless.test(sent) ? sent : randomUUID();
}

export function exchangeOf(request: Begun): Exchange {
  const exchange = request[exchangeKey];
  if (!exchange) throw new Error('a request came past the start of its exchange');
  return exchange;
}

export function sendAnswer(response: ServerResponse, { status, headers, text }: RenderedAnswer): void {
  if (response.headersSent) return;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (text === null) {
    response.writeHead(status, status === 204 || status === 304 ? {} : { 'Content-Length': 0 });
    response.end();
    return;
  }
  if (!response.hasHeader('Content-Type'))
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.writeHead(status, { 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

/** Spells an error as the face does. What nobody expected goes to the log, and nothing of it to the caller. */
export function problemAnswer(
  error: unknown,
  exchange: Exchange,
  render: ProblemRenderer,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): RenderedAnswer {
  const problem = problemOf(error);
  const { correlationId, route } = exchange;
  if (problem.kind === 'Internal')
    logger.error({ err: problem.cause, correlationId, route }, 'request failed');
  if (problem.kind === 'Unavailable') logger.warn({ err: problem.cause, correlationId, route }, 'not served');
  const answer = render(problem, {
    traceId: correlationId,
    timestamp: new Date(clock.now()).toISOString(),
  });
  const ofKind = headersOfKind[problem.kind] ?? {};
  return rendered({ ...answer, headers: { ...answer.headers, ...ofKind, ...problem.headers } });
}
