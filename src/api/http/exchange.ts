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
  /** Of whatever will be answered: how things stand with a limit, what a browser asks for. */
  headers: Readonly<Record<string, string>>;
}

/** How a face spells a problem. @param trace for the body; `timestamp` is ISO 8601 */
export type ProblemRenderer = (
  problem: Problem,
  trace: { readonly traceId: string; readonly timestamp: string },
) => Answer;

const harmless = /^[\w.:/+=@-]{1,128}$/;

/** On every answer. No HSTS: whoever terminates TLS in front of this server sends it. */
export const headersOfEveryAnswer: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};

const noHeaders = {};
const json = { 'Content-Type': 'application/json; charset=utf-8' };

const headersOfKind: Readonly<Partial<Record<ProblemKind, Readonly<Record<string, string>>>>> = {
  Unauthenticated: { 'WWW-Authenticate': 'Bearer' },
  Unavailable: { 'Retry-After': '1' },
};

/** Starts the exchange of a request, and writes the line in the log when it has ended. */
export function beginExchange(
  request: IncomingMessage,
  response: ServerResponse,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Exchange {
  const correlationId = correlationIdOf(request);
  const exchange: Exchange = { correlationId, route: null, headers: noHeaders };
  if (!logger.isLevelEnabled('info')) return exchange;
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
  return exchange;
}

/** As the caller says, or a fresh one: ask once a request. */
export function correlationIdOf({ headers }: IncomingMessage): string {
  const sent = headers['x-correlation-id'];
  return typeof sent === 'string' && harmless.test(sent) ? sent : randomUUID();
}

/** The head in one piece: one header after the other costs a good part of what a short answer takes. */
export function sendAnswer(
  response: ServerResponse,
  exchange: Exchange,
  { status, headers, text }: RenderedAnswer,
): void {
  if (response.headersSent) return;
  const bytes = text === null ? 0 : Buffer.byteLength(text);
  const length = status === 204 || status === 304 ? null : { 'Content-Length': bytes };
  const type = text === null ? null : json;
  response.writeHead(status, {
    ...headersOfEveryAnswer,
    'X-Correlation-Id': exchange.correlationId,
    ...exchange.headers,
    ...type,
    ...headers,
    ...length,
  });
  // As many bytes as characters: all of it is ASCII, which need not be encoded again.
  if (text === null) response.end();
  else response.end(text, bytes === text.length ? 'latin1' : 'utf8');
}

/** Spells an error as the face does. What nobody expected goes to the log, and nothing of it to the caller. */
export function problemAnswer(
  error: unknown,
  exchange: Pick<Exchange, 'correlationId' | 'route'>,
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
