/** However a token is forged, the answer is the same 401, and the server asks nobody about it ("Nobody gets in" 1). */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { expect } from 'chai';
import { decodeJwt } from 'jose';
import { z } from 'zod';
import { outgoingDuring } from '../../support/outgoing.ts';
import { createRawClient, type RawClient, type RawReply } from '../../support/raw-http.ts';
import { openWholeServer, type WholeServer } from '../plugin-manager/whole-server.ts';
import { forgedTokens } from './forged-tokens.ts';

const secret = 'a secret of the test, of at least 32 bytes';
const Refused = z.object({ error: z.looseObject({ code: z.string(), message: z.string() }) });

describe('forged tokens', () => {
  let server: WholeServer;
  let client: RawClient;
  let listener: Server;
  let elsewhere: string;
  let heard = 0;
  let good: string;
  let forged: ReadonlyMap<string, string>;
  const log: string[] = [];

  before(async () => {
    server = await openWholeServer({ JWT_SECRET: secret }, (line) => void log.push(line));
    client = createRawClient(server.url);
    listener = createServer((_request, response) => {
      heard += 1;
      response.end('{}');
    }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address();
    if (address === null || typeof address === 'string') throw new Error('the listener has no port');
    elsewhere = `http://127.0.0.1:${address.port}`;
    const claims = decodeJwt(await server.asRole('PlatformAdmin'));
    ({ good, forged } = await forgedTokens({ secret, claims, now: server.clock.now(), elsewhere }));
  });
  after(async () => {
    client.close();
    listener.closeAllConnections();
    listener.close();
    await server.stop();
  });

  const bearer = (token: string) => ['Authorization', `Bearer ${token}`];
  const me = (headers: readonly string[], query = '') =>
    client.send('GET', `/api/v1/users/me${query}`, headers);
  /** Without what is of the request alone. */
  function told({ status, headers, text }: RawReply): string {
    const kept = Object.entries(headers).filter(([name]) => name !== 'x-correlation-id' && name !== 'date');
    return JSON.stringify({
      status,
      kept,
      text: text.replaceAll(/"(traceId|requestId|timestamp)":"[^"]*"/g, '"$1":"…"'),
    });
  }

  it('are made like one that holds', async () => {
    expect((await me(bearer(good))).status).to.equal(200);
    expect(forged.size).to.be.greaterThan(200);
  });

  for (const [method, target, code] of [
    ['GET', '/api/v1/users/me', 'UNAUTHORIZED'],
    ['POST', '/api/v1/plugins', 'UNAUTHORIZED'],
    ['GET', '/api/webhooks', 'AUTH_TOKEN_EXPIRED'],
  ] as const)
    it(`are refused in the same words by ${method} ${target}, and nobody is asked about them`, async () => {
      await me(bearer(good));
      const answers = new Map<string, string>();
      const outgoing = await outgoingDuring(async () => {
        for (const [name, token] of forged)
          answers.set(name, told(await client.send(method, target, bearer(token))));
      });
      const [first = ''] = answers.values();
      const { status, text } = z.object({ status: z.number(), text: z.string() }).parse(JSON.parse(first));
      const { error } = Refused.parse(JSON.parse(text));
      expect([status, error.code], first).to.deep.equal([401, code]);
      expect(error.message).to.equal('The token is not valid, or not any longer; log in again');
      for (const [name, answer] of answers) expect(answer, name).to.equal(first);
      expect(outgoing).to.deep.equal([]);
      expect(heard).to.equal(0);
    });

  it('would be noticed if somebody followed them', async () => {
    const outgoing = await outgoingDuring(async () => {
      await fetch(elsewhere.replace('127.0.0.1', 'localhost'));
    });
    expect(outgoing).to.include('TCPCONNECTWRAP').and.include('GETADDRINFOREQWRAP');
    expect(heard).to.equal(1);
  });

  it('are not in the log, nor is the one that holds', () => {
    const written = log.join('');
    expect(written).to.include('/users/me');
    for (const token of [good, ...forged.values()].filter(({ length }) => length > 40))
      expect(written.includes(token)).to.equal(false);
  });

  it('hold in one place of the request alone', async () => {
    const sent: Readonly<Record<string, readonly string[]>> = {
      'no scheme': ['Authorization', good],
      'another scheme': ['Authorization', `Token ${good}`],
      'a scheme that begins alike': ['Authorization', `Bearer2 ${good}`],
      'a tab': ['Authorization', `Bearer\t${good}`],
      'white space within': ['Authorization', `Bearer ${good.replace('.', '. ')}`],
      'the token twice': ['Authorization', `Bearer ${good} ${good}`],
      'a list': ['Authorization', `Bearer ${good}, Bearer ${good}`],
      'a quoted token': ['Authorization', `Bearer "${good}"`],
      'two headers, the first good': [...bearer(good), ...bearer([...forged.values()][0] ?? '')],
      'two headers, the last good': [...bearer([...forged.values()][0] ?? ''), ...bearer(good)],
      'two headers, both good': [...bearer(good), ...bearer(good)],
      'another header': ['X-Authorization', `Bearer ${good}`],
      'the header of a proxy': ['Proxy-Authorization', `Bearer ${good}`],
      'a cookie': ['Cookie', `token=${good}; Authorization=Bearer ${good}`],
      'the header of API keys': ['X-API-Key', good],
    };
    for (const [name, headers] of Object.entries(sent))
      expect((await me(headers)).status, name).to.equal(401);
    for (const query of [`?access_token=${good}`, `?token=${good}`, `?Authorization=Bearer%20${good}`])
      expect((await me([], query)).status, query.slice(0, 20)).to.equal(401);
    const form = ['Content-Type', 'application/x-www-form-urlencoded'];
    const inBody = await client.send('POST', '/api/v1/plugins', form, `access_token=${good}`);
    expect(inBody.status).to.equal(401);
  });

  it('are told from good ones by nothing but themselves: the scheme is spelt as one likes', async () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      expect((await me(['Authorization', `${scheme} ${good}`])).status, scheme).to.equal(200);
      expect((await me(['Authorization', `${scheme} ${good}=`])).status, scheme).to.equal(401);
    }
  });

  it('are as little use as a good one whose time is over, to the second', async () => {
    const { exp = 0 } = decodeJwt(good);
    server.clock.jump(exp * 1000 - 1);
    expect((await me(bearer(good))).status).to.equal(200);
    server.clock.jump(exp * 1000);
    expect((await me(bearer(good))).status).to.equal(401);
  });
});
