/** The outgoing client against everything that a URL, a name or an answer can do to it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseRange } from '../../../src/adapters/egress/addresses.ts';
import { createEgress, type EgressOptions } from '../../../src/adapters/egress/egress.ts';
import { createSystemClock } from '../../../src/adapters/system-clock.ts';
import { EgressFailed, type EgressRequest } from '../../../src/ports/egress.ts';
import { openReceiver, type Receiver } from '../../support/receiver.ts';
import { rejection } from '../../support/rejection.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';

const pem = (name: string): string =>
  readFileSync(join(import.meta.dirname, `../../fixtures/tls/hooks.${name}.pem`), 'utf8');
const tls = { key: pem('key'), cert: pem('cert') };

const loopback = [
  ...[
    '127.0.0.1',
    '127.1',
    '127.255.255.254',
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '0177.0.0.1',
    '017700000001',
  ],
  ...[
    '0.0.0.0',
    '0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
    '[0:0:0:0:0:0:0:1]',
  ],
  ...[
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '\uff11\uff12\uff17.0.0.1',
    '127.0.0.1.',
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
  ],
];

describe('the outgoing client', () => {
  let receiver: Receiver;
  afterEach(() => receiver.close());

  const open = (options: Partial<EgressOptions> & { readonly allow?: string } = {}) => {
    const { allow, ...rest } = options;
    const allowed = allow === undefined ? [] : [parseRange(allow) ?? expect.fail(allow)];
    return createEgress({ clock: createSystemClock(), allowed, ...rest });
  };
  const post = (url: string, more: Partial<EgressRequest> = {}): EgressRequest => ({
    ...{ method: 'POST', url, body: '{}', timeoutMs: 10_000, maxResponseBytes: 1_000 },
    ...more,
  });
  const failure = async (asked: Promise<unknown>): Promise<string> => {
    const error = await rejection(asked);
    return error instanceof EgressFailed ? error.failure : String(error);
  };
  const says = (text: string) => openReceiver((_request, response) => response.end(text));

  describe('is kept from', () => {
    it('every spelling of the loopback, over http and https', async () => {
      receiver = await openReceiver();
      const egress = open();
      for (const host of loopback)
        for (const protocol of ['http', 'https'])
          expect(
            await failure(egress.request(post(`${protocol}://${host}:${receiver.port}/`))),
            host,
          ).to.equal('Refused');
      expect(receiver.connections).to.equal(0);
    });

    it('what the operator has not named, when something else was named', async () => {
      receiver = await openReceiver();
      const egress = open({ allow: '10.0.0.0/8' });
      for (const host of loopback)
        expect(await failure(egress.request(post(`http://${host}:${receiver.port}/`))), host).to.equal(
          'Refused',
        );
      expect(receiver.connections).to.equal(0);
    });

    it('names of inner addresses, whichever of several it is', async () => {
      receiver = await openReceiver();
      for (const addresses of [
        ['127.0.0.1'],
        ['::1'],
        ['::ffff:7f00:1'],
        ['10.0.0.1', '169.254.169.254'],
        ['fd00::1'],
      ]) {
        const egress = open({ resolve: async () => addresses });
        expect(await failure(egress.request(post('https://inner.example.com/')))).to.equal('Refused');
      }
    });

    it('a name that points to an open address when it is checked and elsewhere a moment later', async () => {
      receiver = await openReceiver();
      const answers = [['127.0.0.1'], ['127.0.0.2']];
      let asked = 0;
      const egress = open({ allow: '127.0.0.1', resolve: async () => answers[asked++] ?? ['127.0.0.2'] });
      const url = `http://rebinding.example.com:${receiver.port}/`;
      expect(egress.objection(url)).to.equal(null);
      // Looked up once: what was judged is what is connected to.
      expect(await egress.request(post(url))).to.include({ status: 204 });
      expect(asked).to.equal(1);
      expect(await failure(egress.request(post(url)))).to.equal('Refused');
      expect(receiver.connections).to.equal(1);
    });

    it('plain http where the operator has not named the address, also of the public network', async () => {
      receiver = await openReceiver();
      const egress = open({ allow: '127.0.0.0/8', resolve: async () => ['1.1.1.1'] });
      expect(await failure(egress.request(post('http://public.example.com/')))).to.equal('Refused');
      expect(await failure(egress.request(post('http://1.1.1.1/')))).to.equal('Refused');
    });

    it('following redirects', async () => {
      const target = await openReceiver();
      receiver = await openReceiver((_request, response) =>
        response.writeHead(307, { Location: target.url }).end(),
      );
      const { status } = await open({ allow: '127.0.0.0/8' }).request(post(receiver.url));
      expect(status).to.equal(307);
      expect(target.connections).to.equal(0);
      await target.close();
    });

    it('proxies that the environment names', async () => {
      receiver = await says('direct');
      const proxy = await says('proxied');
      process.env['HTTP_PROXY'] = process.env['http_proxy'] = proxy.url;
      try {
        const { body } = await open({ allow: '127.0.0.0/8' }).request(post(receiver.url));
        expect(Buffer.from(body).toString()).to.equal('direct');
      } finally {
        delete process.env['HTTP_PROXY'];
        delete process.env['http_proxy'];
        await proxy.close();
      }
    });

    it('URLs that are no plain ones', async () => {
      receiver = await openReceiver();
      const egress = open({ allow: '127.0.0.0/8' });
      for (const url of [
        ...['', 'nonsense', '/path', 'ftp://example.com', 'file:///etc/passwd', 'data:,x', 'https://'],
        ...[
          'https://user@example.com',
          'https://:secret@example.com',
          'https://example.com/#part',
          'https://example.com/#',
        ],
        `https://example.com/${'x'.repeat(2_048)}`,
      ]) {
        expect(egress.objection(url), url).to.match(/^must /);
        expect(await failure(egress.request(post(url))), url).to.equal('Refused');
      }
    });
  });

  describe('speaks', () => {
    it('to an address that the operator has named, and remembers nothing from one request to the next', async () => {
      receiver = await openReceiver((_request, response) =>
        response.writeHead(200, { 'Set-Cookie': 'a=b' }).end('thanks'),
      );
      const egress = open({ allow: '127.0.0.0/8' });
      for (const host of ['127.0.0.1', '127.1', '[::ffff:127.0.0.1]', 'localhost']) {
        const url = `http://${host}:${receiver.port}/hook?a=1`;
        expect(egress.objection(url), host).to.equal(null);
        const { status, body } = await egress.request(
          post(url, { headers: { 'Content-Type': 'text/plain' } }),
        );
        expect([status, Buffer.from(body).toString()]).to.deep.equal([200, 'thanks']);
      }
      expect(receiver.received).to.have.length(4);
      for (const { method, path, headers, body } of receiver.received) {
        expect([method, path, body]).to.deep.equal(['POST', '/hook?a=1', '{}']);
        expect(headers).to.include({ 'content-type': 'text/plain', 'user-agent': 'Slipway' });
        expect(headers).not.to.have.any.keys('cookie', 'authorization');
      }
    });

    it('what the answer says of when to come again, where it can be read', async () => {
      const said = ['120', new Date(Date.now() + 60_000).toUTCString(), 'soon'];
      receiver = await openReceiver((_request, response) =>
        response.writeHead(429, { 'Retry-After': said[receiver.received.length - 1] ?? '' }).end(),
      );
      const egress = open({ allow: '127.0.0.1' });
      const ask = () => egress.request(post(receiver.url));
      expect(await ask()).to.include({ status: 429, retryAfterMs: 120_000 });
      expect((await ask()).retryAfterMs).to.be.within(0, 60_000);
      expect(await ask()).not.to.have.property('retryAfterMs');
    });

    it('TLS with the name, though it connects to the address', async () => {
      receiver = await openReceiver(undefined, tls);
      const asked = { allow: '127.0.0.0/8', resolve: async () => ['127.0.0.1'] };
      const ask = (name: string, trusted?: string) =>
        open({ ...asked, ...(trusted === undefined ? {} : { trusted }) }).request(
          post(`https://${name}:${receiver.port}/`),
        );
      expect(await ask('hooks.example.test', tls.cert)).to.include({ status: 204 });
      expect(receiver.received[0]?.headers).to.include({ host: `hooks.example.test:${receiver.port}` });
      expect(await failure(ask('other.example.test', tls.cert))).to.equal('Untrusted');
      expect(await failure(ask('hooks.example.test'))).to.equal('Untrusted');
      expect(receiver.received).to.have.length(1);
    });

    it('to the next address when the first does not answer', async () => {
      receiver = await openReceiver();
      // Nothing listens at 127.0.0.2: the receiver is bound to one address.
      const egress = open({
        allow: '127.0.0.0/8',
        resolve: async () => ['127.0.0.2', '10.0.0.1', '127.0.0.1'],
      });
      expect(await egress.request(post(`http://two.example.com:${receiver.port}/`))).to.include({
        status: 204,
      });
    });
  });

  describe('gives up', () => {
    /** With time that passes only when `waiting` says that there is something to give up. */
    async function timesOut(waiting: () => Promise<void>, url: string, resolve?: EgressOptions['resolve']) {
      const clock = createVirtualClock();
      const egress = open({ clock, allow: '127.0.0.0/8', ...(resolve ? { resolve } : {}) });
      const asked = failure(egress.request(post(url)));
      await waiting();
      await clock.advance(9_999);
      await clock.advance(1);
      expect(await asked).to.equal('TimedOut');
    }

    it('on a receiver that never answers', async () => {
      const reached = Promise.withResolvers<undefined>();
      receiver = await openReceiver(() => reached.resolve(undefined));
      await timesOut(() => reached.promise.then(() => undefined), receiver.url);
    });

    it('on a body that never ends, though it goes on slowly', async () => {
      const reached = Promise.withResolvers<undefined>();
      receiver = await openReceiver((_request, response) => {
        response.write('x');
        reached.resolve(undefined);
      });
      await timesOut(() => reached.promise.then(() => undefined), receiver.url);
    });

    it('on a name that nobody ever looks up', async () => {
      receiver = await openReceiver();
      const never = Promise.withResolvers<readonly string[]>();
      await timesOut(
        async () => undefined,
        'https://slow.example.com/',
        () => never.promise,
      );
    });

    it('on a body that is too large, however it is sent', async () => {
      let length: Record<string, string> = {};
      receiver = await openReceiver((_request, response) => {
        response.writeHead(200, length);
        const more = (): boolean => response.writable && response.write('x'.repeat(10_000)) && more();
        response.on('drain', more);
        more();
      });
      const egress = open({ allow: '127.0.0.0/8' });
      expect(await failure(egress.request(post(receiver.url)))).to.equal('TooLarge');
      length = { 'Content-Length': '1000000000' };
      expect(await failure(egress.request(post(receiver.url)))).to.equal('TooLarge');
    });

    it('when it is told to', async () => {
      receiver = await openReceiver(() => giveUp.abort());
      const giveUp = new AbortController();
      const egress = open({ allow: '127.0.0.0/8' });
      const { signal } = giveUp;
      expect(await failure(egress.request(post(receiver.url, { signal })))).to.equal('Aborted');
      expect(await failure(egress.request(post(receiver.url, { signal })))).to.equal('Aborted');
      expect(receiver.received).to.have.length(1);
    });

    it('on what is no HTTP, ends early, has huge headers, or is not there', async () => {
      receiver = await openReceiver((request) => request.socket.end('SSH-2.0-OpenSSH_9.6\r\n'));
      const egress = open({ allow: '127.0.0.0/8' });
      expect(await failure(egress.request(post(receiver.url)))).to.equal('Broken');
      await receiver.close();
      expect(await failure(egress.request(post(receiver.url)))).to.equal('Unreachable');
      receiver = await openReceiver((request) =>
        request.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf'),
      );
      expect(await failure(egress.request(post(receiver.url)))).to.equal('Broken');
      await receiver.close();
      receiver = await openReceiver((_request, response) =>
        response.writeHead(200, { 'X-Large': 'x'.repeat(20_000) }).end(),
      );
      expect(await failure(egress.request(post(receiver.url)))).to.equal('Broken');
    });

    it('on a name that has no address', async () => {
      receiver = await openReceiver();
      for (const resolve of [async () => [], () => Promise.reject(new Error('ENOTFOUND'))])
        expect(await failure(open({ resolve }).request(post('https://nobody.example.com/')))).to.equal(
          'Unresolved',
        );
    });
  });
});
