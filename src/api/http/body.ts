/** Bytes of a request, within limits, for routes that want them: read only once the caller is known and allowed. */
import type { IncomingMessage } from 'node:http';
import { NotJson, parseJson } from './json.ts';
import { Problem } from './problem.ts';

export interface Body {
  /** Undefined when there was none. */
  readonly value: unknown;
  /** As it was sent; empty when there was none. */
  readonly bytes: Buffer;
}

export const noBody: Body = { value: undefined, bytes: Buffer.alloc(0) };

/** @throws {Problem} when it is no JSON (400, 415) or too large (413) */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Body> {
  const { headers } = request;
  const announced = headers['content-length'];
  if (headers['transfer-encoding'] === undefined && (announced ?? '0') === '0') return noBody;
  if (!isJson(headers['content-type'] ?? '')) {
    throw new Problem('UnsupportedMediaType', 'Send the body as application/json in UTF-8');
  }
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') {
    throw new Problem('UnsupportedMediaType', 'Send the body without a Content-Encoding');
  }
  if (Number(announced ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const bytes = await received(request, maxBytes);
  return bytes.length === 0 ? noBody : { value: parsed(bytes), bytes };
}

function parsed(bytes: Buffer): unknown {
  try {
    return parseJson(bytes);
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    const message = `The body ${error.message}`;
    throw new Problem('Invalid', message, { details: [{ field: 'body', message }] });
  }
}

function received(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  const keep = (chunk: Buffer): void => {
    size += chunk.length;
    if (size <= maxBytes) {
      chunks.push(chunk);
      return;
    }
    // The rest is read and forgotten: a client that is still sending would not see an answer on a closed connection.
    chunks.length = 0;
    request.off('data', keep).resume();
    reject(tooLarge(maxBytes));
  };
  const cutOff = (): void => {
    // Every request closes: an error that nobody sees would cost its stack.
    if (!request.complete) reject(new Problem('Invalid', 'The body ended before its announced length'));
  };
  request
    .on('data', keep)
    .once('end', () => {
      const [first] = chunks;
      resolve(chunks.length === 1 && first ? first : Buffer.concat(chunks, size));
    })
    .once('error', cutOff)
    .once('close', cutOff);
  return promise;
}

function tooLarge(maxBytes: number): Problem {
  return new Problem('PayloadTooLarge', `The body is larger than ${maxBytes} bytes`);
}

function isJson(contentType: string): boolean {
  return (
    contentType === 'application/json' ||
    /^application\/json\s*(;\s*charset\s*=\s*("utf-8"|utf-8)\s*)?$/i.test(contentType)
  );
}
