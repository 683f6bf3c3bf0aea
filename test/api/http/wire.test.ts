import { expect } from 'chai';
import { createConnection } from 'node:net';
import { ErrorBody } from '../../../src/api/plugin-manager/errors.ts';
import { withServer } from '../../support/http.ts';
import { example } from './example.ts';

describe('what no well-behaved client sends', () => {
  const targets: readonly (readonly [string, number])[] = [
    ['GET http://[', 400],
    ['GET ftp://a/health', 400],
    ['OPTIONS *', 400],
    ['GET http://elsewhere/health?', 200],
    ['GET //', 404],
    ['GET /%zz', 404],
    ['TRACE /health', 405],
    ['PROPFIND /api/v1/things', 405],
  ];
  for (const [line, status] of targets) {
    it(`${line}: ${status} in the face’s format`, async () => {
      await withServer(example().app, async ({ url }) => {
        const answer = await conversation(url, `${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        expect(answer).to.match(new RegExp(`^HTTP/1.1 ${status} `));
        expect(answer).to.include('Content-Type: application/json').and.include('X-Correlation-Id');
      });
    });
  }

  it('a body that stops half-way leaves the server well', async () => {
    await withServer(example().app, async ({ url, call }) => {
      const half = 'Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{"a"';
      await conversation(url, `POST /api/v1/echo HTTP/1.1\r\nHost: x\r\n${half}`, 'hang up');
      expect((await call('GET', '/health')).status).to.equal(200);
    });
  });

  it('a chunked body is measured as it comes', async () => {
    await withServer(example().app, async ({ url }) => {
      const chunk = new Uint8Array(65_536).fill(0x20);
      let left = 20;
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => (left-- > 0 ? controller.enqueue(chunk) : controller.close()),
      });
      const reply = await fetch(`${url}/api/v1/echo`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body,
        duplex: 'half',
      });
      expect(reply.status).to.equal(413);
      expect(ErrorBody.parse(await reply.json()).error.code).to.equal('PAYLOAD_TOO_LARGE');
    });
  });
});

/** Bytes as no HTTP client would send them. @returns what came back until the connection ended */
async function conversation(url: string, said: string, then?: 'hang up'): Promise<string> {
  const socket = createConnection(Number(new URL(url).port), '127.0.0.1');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let heard = '';
  socket
    .setEncoding('utf8')
    .on('data', (text: string) => (heard += text))
    .on('error', reject)
    .on('close', () => resolve(heard));
  if (then === 'hang up') socket.end(said);
  else socket.write(said);
  return promise;
}
