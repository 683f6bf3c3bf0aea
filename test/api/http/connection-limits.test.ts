/** Slow clients, and many connections: nobody takes the server from the others. Each waits for the server to act, not for a time. */
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { expect } from 'chai';
import { z } from 'zod';
import { defaultConnectionLimits, type ConnectionLimits } from '../../../src/api/http/connection-limits.ts';
import { createMalformed } from '../../../src/api/http/malformed.ts';
import { route } from '../../../src/api/http/route.ts';
import { ErrorBody, pluginManagerErrors } from '../../../src/api/plugin-manager/errors.ts';
import { type Client, withServer } from '../../support/http.ts';
import { example, services, thingRoutes } from './example.ts';

const huge = 'x'.repeat(30_000_000);
/** @param gone is told when nobody waits for the answer any more */
const download = (gone: () => void) =>
  route({
    ...{ method: 'GET', path: '/huge', summary: 'A lot', policy: 'public', responses: { 200: z.string() } },
    handler: async ({ whenGone }) => {
      whenGone(gone);
      return { status: 200, body: huge };
    },
  });

const limited = (
  limits: Partial<ConnectionLimits>,
  use: (client: Client) => Promise<void>,
  more: { readonly isTrustedProxy?: () => boolean; readonly gone?: () => void } = {},
): Promise<void> =>
  withServer(example([...thingRoutes(), download(more.gone ?? (() => undefined))]).app, use, {
    limits: { ...defaultConnectionLimits, checkMs: 20, ...limits },
    malformed: createMalformed(pluginManagerErrors, services),
    isTrustedProxy: more.isTrustedProxy ?? (() => false),
  });

interface Connection {
  readonly socket: Socket;
  /** All that came until the server hung up. */
  readonly heard: Promise<string>;
}

function connect(url: string, said = ''): Connection {
  const socket = createConnection(Number(new URL(url).port), '127.0.0.1');
  const { promise, resolve } = Promise.withResolvers<string>();
  let heard = '';
  socket
    .setEncoding('utf8')
    .on('data', (text: string) => (heard += text))
    .on('error', () => undefined)
    .on('close', () => resolve(heard));
  socket.write(said);
  return { socket, heard: promise };
}

/** As long as the server lets it: a piece each time that the event loop has turned for a while. */
function trickle({ socket }: Connection, pieces: readonly string[]): void {
  let next = 0;
  const timer = setInterval(() => {
    if (socket.destroyed) clearInterval(timer);
    else socket.write(pieces[(next += 1) % pieces.length] ?? '');
  }, 5);
}

describe('slow connections', () => {
  it('that never end their headers are answered 408 and hung up on, and others are served meanwhile', () =>
    limited({ headersMs: 200 }, async ({ url, call }) => {
      const slow = Array.from({ length: 50 }, () => connect(url, 'GET /health HTTP/1.1\r\nHost: x\r\n'));
      slow.forEach((one) => trickle(one, ['X-A: b\r\n']));
      expect((await call('GET', '/health')).status).to.equal(200);
      for (const { heard } of slow) {
        const [head = '', body = ''] = (await heard).split('\r\n\r\n');
        expect(head)
          .to.match(/^HTTP\/1.1 408 /)
          .and.include('X-Content-Type-Options: nosniff');
        expect(ErrorBody.parse(JSON.parse(body)).error.message).to.equal('The request did not come in time');
      }
    }));

  it('that say nothing are hung up on', () =>
    limited({ headersMs: 100 }, async ({ url }) => {
      expect(await connect(url).heard).to.match(/^(HTTP\/1.1 408 |$)/);
    }));

  it('that never end their body are answered 408 and hung up on', () =>
    limited({ headersMs: 200, requestMs: 300 }, async ({ url, call }) => {
      const headers = 'Host: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n';
      const slow = connect(url, `POST /api/v1/echo HTTP/1.1\r\n${headers}`);
      trickle(slow, ['[', ' ', ' ']);
      expect(await slow.heard).to.match(/^HTTP\/1.1 408 /);
      expect((await call('GET', '/health')).status).to.equal(200);
    }));

  it('that do not read their answer are hung up on', async () => {
    const gone = Promise.withResolvers<undefined>();
    const use = async ({ url }: Client): Promise<void> => {
      const { socket, heard } = connect(url, 'GET /api/v1/huge HTTP/1.1\r\nHost: x\r\n\r\n');
      socket.pause();
      await gone.promise;
      socket.resume();
      expect((await heard).length).to.be.below(huge.length);
    };
    await limited({ idleMs: 200 }, use, { gone: () => gone.resolve(undefined) });
  });

  it('that are kept for a next request are let go of', () =>
    limited({ keepAliveMs: 100 }, async ({ url }) => {
      expect(await connect(url, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n').heard).to.match(/^HTTP\/1.1 200 /);
    }));
});

describe('many connections', () => {
  /** Opened one after the other, each once it has been answered, so that the server has counted it. */
  async function open(
    url: string,
    many: number,
  ): Promise<readonly { readonly answered: boolean; readonly socket: Socket }[]> {
    const opened = [];
    for (let number = 0; number < many; number += 1) {
      const { socket, heard } = connect(url, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
      const answered = await Promise.race([
        once(socket, 'data').then(() => true),
        heard.then((text) => text !== ''),
      ]);
      opened.push({ answered, socket });
    }
    return opened;
  }
  const answers = (opened: Awaited<ReturnType<typeof open>>) => opened.map(({ answered }) => answered);
  async function closed(sockets: readonly Socket[]): Promise<void> {
    for (const socket of sockets) if (!socket.closed) await once(socket.destroy(), 'close');
  }

  it('of one address are no more than allowed, and there is room again when one ends', () =>
    limited({ perNetwork: 5 }, async ({ url }) => {
      const opened = await open(url, 8);
      expect(answers(opened)).to.deep.equal([true, true, true, true, true, false, false, false]);
      await closed(opened.map(({ socket }) => socket));
      let again = await open(url, 5);
      // What the server has not seen the end of yet still counts.
      while (answers(again).includes(false)) {
        await closed(again.map(({ socket }) => socket));
        again = await open(url, 5);
      }
      await closed(again.map(({ socket }) => socket));
    }));

  it('of a trusted proxy are not counted as one address', () =>
    limited(
      { perNetwork: 2 },
      async ({ url }) => {
        const opened = await open(url, 6);
        expect(answers(opened)).not.to.include(false);
        await closed(opened.map(({ socket }) => socket));
      },
      { isTrustedProxy: () => true },
    ));

  it('are no more than allowed in all', () =>
    limited({ connections: 4 }, async ({ url }) => {
      const opened = await open(url, 6);
      expect(answers(opened)).to.deep.equal([true, true, true, true, false, false]);
      await closed(opened.map(({ socket }) => socket));
    }));
});
