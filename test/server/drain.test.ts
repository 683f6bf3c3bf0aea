/** A server that leaves: it says so first, and answers on until who sends requests has noticed. */
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { openSocket } from '../api/socket/client.ts';
import { rejection } from '../support/rejection.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

describe('a server that is told to stop', () => {
  let server: TestServer;
  let token: string;
  const pooled = new Agent({ keepAlive: true });
  beforeEach(async () => {
    server = await startTestServer({ settings: { SLIPWAY_DRAIN_SECONDS: '1' } });
    token = await server.asRole('PlatformAdmin');
  });
  afterEach(() => server.stop());
  after(() => pooled.destroy());

  async function ask(path: string): Promise<IncomingMessage> {
    const headers = { Authorization: `Bearer ${token}` };
    const [response] = (await once(get(server.url + path, { agent: pooled, headers }), 'response')) as [
      IncomingMessage,
    ];
    response.resume();
    await once(response, 'end');
    return response;
  }

  it('says that it is not ready and answers everything else, closing connections as it does', async () => {
    const before = await ask('/api/v1/plugins');
    expect([before.statusCode, before.headers.connection]).to.deep.equal([200, 'keep-alive']);
    const socket = await openSocket(server.url);
    await socket.authenticate(token);
    const stopped = server.server.stop();

    const ready = await server.call('GET', '/ready');
    expect([ready.status, (ready.body as { status: unknown }).status]).to.deep.equal([503, 'stopping']);
    expect((await server.call('GET', '/health')).status).to.equal(200);
    const meanwhile = await ask('/api/v1/plugins');
    expect([meanwhile.statusCode, meanwhile.headers.connection]).to.deep.equal([200, 'close']);
    const body = { tenantId: 'meanwhile', name: 'Meanwhile', subscriptionTier: 'Standard' };
    expect((await server.call('POST', '/api/v1/tenants', { token, body })).status).to.equal(201);
    expect(socket.ws.readyState).to.equal(socket.ws.OPEN);

    // 1001: the endpoint goes away (RFC 6455, 7.4.1), and clients come back.
    expect(await socket.closed).to.include({ code: 1001 });
    await stopped;
    expect(await rejection(server.call('GET', '/health'))).to.be.instanceOf(TypeError);
  });
});
