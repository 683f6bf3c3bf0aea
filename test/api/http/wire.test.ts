import { expect } from 'chai';
import { createConnection } from 'node:net';
import { headersOfEveryAnswer } from '../../../src/api/http/exchange.ts';
import { createMalformed } from '../../../src/api/http/malformed.ts';
import { ErrorBody, pluginManagerErrors } from '../../../src/api/plugin-manager/errors.ts';
import { withServer, type Client } from '../../support/http.ts';
import { example, services } from './example.ts';

describe('what no well-behaved client sends', () => {
  const targets: readonly (readonly [string, number])[] = [
    ['GET http://[', 400],
    ['GET ftp://a/health', 400],
    ['OPTIONS *', 400],
    ['GET http://elsewhere/health?', 200],
    ['GET //', 404],
    ['GET /%zz', 400],
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

  const close = 'Connection: close\r\n\r\n';
  const unreadable: readonly (readonly [what: string, said: string, status: number])[] = [
    ['no HTTP at all', 'hello\r\n\r\n', 400],
    ['a TLS client hello', '\x16\x03\x01\x02\0\x01\0', 400],
    ['another version', `GET /health HTTP/3.7\r\nHost: x\r\n${close}`, 400],
    [
      'two lengths',
      `POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n${close}`,
      400,
    ],
    [
      'a length and chunks',
      `POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n${close}`,
      400,
    ],
    ['17 KB of headers', `GET /health HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(17_000)}\r\n${close}`, 431],
    ['17 KB of path', `GET /${'x'.repeat(17_000)} HTTP/1.1\r\nHost: x\r\n${close}`, 431],
    ['no host', `GET /health HTTP/1.1\r\n${close}`, 400],
    ['two hosts', `GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n${close}`, 400],
  ];
  for (const [what, said, status] of unreadable)
    it(`${what} is ${status} with a body and the headers of every answer, and the connection ends`, async () => {
      const more = { malformed: createMalformed(pluginManagerErrors, services) };
      const use = async ({ url, call }: Client): Promise<void> => {
        const answer = await conversation(url, said);
        const [head = '', body = ''] = answer.split('\r\n\r\n');
        expect(head).to.match(new RegExp(`^HTTP/1.1 ${status} `));
        for (const [name, value] of Object.entries(headersOfEveryAnswer))
          expect(head).to.include(`${name}: ${value}`);
        const { traceId, code } = ErrorBody.parse(JSON.parse(body)).error;
        expect(code).to.equal('VALIDATION_ERROR');
        expect(head).to.include(`X-Correlation-Id: ${traceId}`).and.include('Connection: close');
        expect((await call('GET', '/health')).status).to.equal(200);
      };
      await withServer(example().app, use, more);
    });

  it('HTTP/1.0 without a host, and expectations that nobody knows, are answered', async () => {
    await withServer(example().app, async ({ url }) => {
      expect(await conversation(url, 'GET /health HTTP/1.0\r\n\r\n')).to.match(/^HTTP\/1.1 200 /);
      const expecting = `GET /health HTTP/1.1\r\nHost: x\r\nExpect: the-spanish-inquisition\r\n${close}`;
      expect(await conversation(url, expecting)).to.match(/^HTTP\/1.1 200 /);
    });
  });

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
