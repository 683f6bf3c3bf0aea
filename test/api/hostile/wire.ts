/** HTTP as bytes: what no client library would send, and what comes back. */
import { createConnection } from 'node:net';
import type { Reply } from '../../support/http.ts';

export interface WireRequest {
  readonly method: string;
  /** Path and query, as they stand in the first line. */
  readonly target: string;
  /** One header twice is two entries. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** A character a byte. */
  readonly body: string | null;
  readonly framing: Framing;
}

/** `cut`: announces its length and ends half-way; `doubled`: announces another length as well. */
export type Framing = 'length' | 'chunked' | 'cut' | 'cut chunk' | 'doubled' | 'garbled chunk';

export function bytesOf({ method, target, headers, body: text, framing }: WireRequest): Buffer {
  const body = text === null ? null : Buffer.from(text, 'latin1');
  const isChunked = framing.includes('chunk');
  const length = body?.length ?? 0;
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(body === null ? [] : [isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`]),
    ...(body !== null && framing === 'doubled' ? [`Content-Length: ${length + 1}`] : []),
    'Connection: close',
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (body === null) return head;
  const half = body.subarray(0, length / 2);
  if (framing === 'cut') return Buffer.concat([head, half]);
  if (!isChunked) return Buffer.concat([head, body]);
  const chunk = (bytes: Buffer, size = bytes.length.toString(16)) =>
    Buffer.concat([Buffer.from(`${size}\r\n`), bytes, Buffer.from('\r\n')]);
  const chunks =
    length === 0 ? [] : [...(half.length > 0 ? [chunk(half)] : []), chunk(body.subarray(half.length))];
  if (framing === 'cut chunk') return Buffer.concat([head, ...chunks]);
  if (framing === 'garbled chunk') return Buffer.concat([head, chunk(half, '-1x')]);
  return Buffer.concat([head, ...chunks, Buffer.from('0\r\n\r\n')]);
}

/**
 * Whether an answer is owed: not to one that stops half-way, nor to one with so long a body that the server may have hung up on the
 * rest before its answer was read.
 */
export function isOwed({ framing, body }: Pick<WireRequest, 'framing' | 'body'>): boolean {
  return body === null || (body.length < longBody && (framing === 'length' || framing === 'chunked'));
}

const longBody = 65_536;

/** Whether a server waits for the rest. */
export function isCut({ framing, body }: Pick<WireRequest, 'framing' | 'body'>): boolean {
  return body !== null && (framing === 'cut' || framing === 'cut chunk');
}

const patienceMs = 15_000;
const soonMs = 100;

/**
 * Says something on a connection of its own, and listens until it ends.
 * @param then `hang up` after what a server would wait for the rest of, `soon` where it may have something to say first
 * @throws when the server lets one wait
 */
export function conversation(
  url: string,
  said: Buffer,
  then: 'wait' | 'hang up' | 'hang up soon',
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const heard: Buffer[] = [];
  const socket = createConnection(Number(new URL(url).port), '127.0.0.1');
  socket
    .setTimeout(patienceMs, () => socket.destroy(new Error('nothing came back')))
    .on('data', (bytes: Buffer) => heard.push(bytes))
    // A server may hang up on what it does not want to read to its end.
    .on('error', (error: NodeJS.ErrnoException) =>
      ['ECONNRESET', 'EPIPE'].includes(error.code ?? '') ? resolve(Buffer.concat(heard)) : reject(error),
    )
    .on('close', () => resolve(Buffer.concat(heard)));
  if (then === 'hang up') socket.end(said);
  else socket.write(said);
  if (then === 'hang up soon') {
    const timer = setTimeout(() => socket.end(), soonMs);
    socket.once('close', () => clearTimeout(timer));
  }
  return promise;
}

/** @returns the answers that stand in what was heard; interim ones left out. @throws when it is no HTTP */
export function repliesIn(heard: Buffer, method: string): readonly Reply[] {
  const replies: Reply[] = [];
  let rest = heard;
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n');
    const [first = '', ...lines] = rest.subarray(0, end).toString('latin1').split('\r\n');
    const [, code] = /^HTTP\/1\.1 (\d{3})( [^\r\n]*)?$/.exec(first) ?? [];
    if (end < 0 || code === undefined) throw new Error(`no HTTP: ${rest.toString('latin1').slice(0, 200)}`);
    const status = Number(code);
    const headers = new Headers(lines.map((line): [string, string] => splitHeader(line)));
    rest = rest.subarray(end + 4);
    if (status < 200) continue;
    // Of what was no HEAD to the server, a body comes all the same.
    const isAlone = rest.length === 0 || rest.subarray(0, 5).equals(Buffer.from('HTTP/'));
    const hasBody = !(method === 'HEAD' && isAlone) && status !== 204 && status !== 304;
    const length = hasBody ? Number(headers.get('content-length') ?? rest.length) : 0;
    // Cut off by the end of the connection.
    if (rest.length < length) break;
    const text = rest.subarray(0, length).toString('utf8');
    replies.push({ status, headers, body: text === '' ? null : parsed(text) });
    rest = rest.subarray(length);
  }
  return replies;
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
