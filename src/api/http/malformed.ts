/** What is no HTTP, comes too slowly, or is too long to be read: answered like every other refusal, and hung up on. */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import type { Clock } from '../../ports/clock.ts';
import { headersOfEveryAnswer, type ProblemRenderer } from './exchange.ts';
import { Problem } from './problem.ts';

/** @param error as node:http's `clientError` has it; @param socket of a connection on which no answer has begun */
export type Malformed = (error: NodeJS.ErrnoException, socket: Duplex) => void;

/** By the code of the error; all else is 400. */
const known: Readonly<Record<string, readonly [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are too long'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The extensions of a chunk are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not come in time'],
};

/** @param render the first face's spelling of errors: nobody knows which one was asked */
export function createMalformed(
  render: ProblemRenderer,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Malformed {
  return ({ code = '' }, socket) => {
    const [status, message] = known[code] ?? [400, 'This is no request that HTTP allows'];
    const traceId = randomUUID();
    const { body } = render(new Problem('Invalid', message), {
      traceId,
      timestamp: new Date(clock.now()).toISOString(),
    });
    const text = JSON.stringify(body);
    const headers = [
      ...Object.entries(headersOfEveryAnswer),
      ['X-Correlation-Id', traceId],
      ['Content-Type', 'application/json; charset=utf-8'],
      ['Content-Length', String(Buffer.byteLength(text))],
      ['Connection', 'close'],
    ];
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
    const answer = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${text}`;
    socket.end(answer, () => socket.destroy());
    logger.info({ correlationId: traceId, status, code }, 'malformed request');
  };
}
