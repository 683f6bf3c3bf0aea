/**
 * Many listeners of one server in one process. They cost as little as they can, so that the server is what is measured: of a
 * frame only its length is read (RFC 6455, 5.2; frames of servers are not masked).
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tell } from '../child.ts';

export interface Listen {
  readonly url: string;
  /** What each says when it is connected. */
  readonly says: readonly string[];
  readonly count: number;
  /** Frames that each is told in answer to that. */
  readonly answers: number;
}
/** Waits until each has been told so many frames more than when it was asked last. */
export interface Await {
  readonly frames: number;
}
export interface Heard {
  /** When the last frame came, in milliseconds since 1970. */
  readonly last: number;
}

/** Frames that are still to come, of all together. */
let missing = 0;
let heard = (): void => undefined;

function take(frames: number): void {
  missing -= frames;
  if (missing === 0) heard();
}

const none = Buffer.alloc(0);

/** Counts the frames of text in a stream of bytes, wherever it is cut. @param pinged the server asks whether we are there */
function frameCounter(pinged: () => void): (chunk: Buffer) => number {
  /** Bytes of the present frame's payload that are still to come. */
  let left = 0;
  let head: Buffer = none;
  return (chunk) => {
    let frames = 0;
    for (let at = 0; at < chunk.length;) {
      if (left > 0) {
        const passed = Math.min(left, chunk.length - at);
        left -= passed;
        at += passed;
        continue;
      }
      // Of a frame whose head is not cut, at once.
      const isWhole = head.length === 0 && chunk.length - at >= 4;
      const wanted = isWhole ? sizeOfHead(chunk[at + 1] ?? 0) : 1;
      const part = chunk.subarray(at, at + wanted);
      head = head.length === 0 ? part : Buffer.concat([head, part]);
      at += wanted;
      if (head.length < 2 || head.length < sizeOfHead(head[1] ?? 0)) continue;
      left = head.length === 2 ? (head[1] ?? 0) : head.readUInt16BE(2);
      const kind = (head[0] ?? 0) & 0x0f;
      if (kind === 1) frames += 1;
      else if (kind === 9) pinged();
      else throw new Error(`a listener was sent a frame of kind ${kind}`);
      head = none;
    }
    return frames;
  };
}

/** Nobody sends frames here that are longer than 64 KiB. */
function sizeOfHead(length: number): number {
  return length < 126 ? 2 : 4;
}

const pong = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

/** A frame as clients send it. */
function masked(text: string): Buffer {
  const payload = Buffer.from(text);
  const mask = Buffer.alloc(4);
  const head =
    payload.length < 126 ? Buffer.from([0x81, 0x80 | payload.length]) : Buffer.from([0x81, 0xfe, 0, 0]);
  if (payload.length >= 126) head.writeUInt16BE(payload.length, 2);
  // A mask of zeros leaves the payload as it is.
  return Buffer.concat([head, mask, payload]);
}

async function listen({ url, says }: Listen): Promise<void> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  const lines = [
    ...['GET /ws HTTP/1.1', `Host: ${host}`, 'Connection: Upgrade', 'Upgrade: websocket'],
    ...[`Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`, 'Sec-WebSocket-Version: 13'],
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  const end = answer.indexOf('\r\n\r\n') + 4;
  if (!answer.subarray(0, end).toString().startsWith('HTTP/1.1 101')) throw new Error(answer.toString());
  const count = frameCounter(() => socket.write(pong));
  take(count(answer.subarray(end)));
  socket.on('data', (chunk: Buffer) => take(count(chunk)));
  socket.on('close', () => {
    throw new Error('a listener was cut off');
  });
  for (const text of says) socket.write(masked(text));
}

async function obey(asked: Listen | Await, listeners: number): Promise<Heard> {
  if ('count' in asked) {
    missing += asked.count * asked.answers;
    // Not all at once: the server has a backlog.
    for (let at = 0; at < asked.count; at += 50)
      await Promise.all(Array.from({ length: Math.min(50, asked.count - at) }, () => listen(asked)));
  } else missing += asked.frames * listeners;
  while (missing !== 0) await new Promise<void>((resolve) => (heard = resolve));
  return { last: Date.now() };
}

let listeners = 0;
process.on('message', (asked: Listen | Await) => {
  void obey(asked, listeners).then((answer) => tell(answer));
  if ('count' in asked) listeners = asked.count;
});
process.once('SIGTERM', () => process.exit(0));
