/** What nobody should send: it is refused in words, or the connection ends, and everybody else is served as before. */
import { expect } from 'chai';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect as connectTcp } from 'node:net';
import WebSocket from 'ws';
import { openWholeServer, tenantOf, type WholeServer } from '../plugin-manager/whole-server.ts';
import { openSocket, socketUrl, type SocketClient } from './client.ts';

describe('a hostile client of the socket', function () {
  this.timeout(30_000);
  let server: WholeServer;
  const open: SocketClient[] = [];
  before(async () => {
    server = await openWholeServer({
      CORS_ORIGINS: 'https://console.example.com',
      ...{ SLIPWAY_SOCKETS_PER_USER: '3', SLIPWAY_MAX_SOCKETS: '8' },
    });
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((client) => client.close()));
    // Whatever was sent: the server lives, and serves sockets.
    const { status } = await server.call('GET', '/health');
    expect(status).to.equal(200);
    const next = await connect();
    await next.authenticate(await server.asRole('Viewer', tenantOf.Viewer));
    await Promise.all(open.splice(0).map((client) => client.close()));
  });
  after(() => server.stop());

  async function connect(options: WebSocket.ClientOptions = {}): Promise<SocketClient> {
    const client = await openSocket(server.url, options);
    open.push(client);
    return client;
  }
  async function known(): Promise<SocketClient> {
    const client = await connect();
    await client.authenticate(await server.asRole('Viewer', tenantOf.Viewer));
    return client;
  }

  const subscribe = (more: object) => JSON.stringify({ type: 'subscribe', channels: ['plugins'], ...more });
  const wrong: readonly (readonly [what: string, text: string, says: string])[] = [
    ['no JSON', 'hello', 'is not valid JSON'],
    ['nothing', '', 'is not valid JSON'],
    ['half of a frame', '{"type":"subscr', 'is not valid JSON'],
    ['no object', '[]', 'was not understood'],
    ['null', 'null', 'was not understood'],
    ['deep nesting', '['.repeat(8_000), 'is nested deeper than 32 levels'],
    ['a member twice', '{"type":"ping","type":"auth"}', 'names a member twice'],
    ['a prototype', '{"type":"ping","__proto__":{"type":"auth"}}', 'member name that is not allowed'],
    ['no type', '{}', 'type'],
    ['an unknown type', '{"type":"publish"}', 'type'],
    ['an unknown member', '{"type":"ping","more":1}', 'more'],
    ['channels that are no list', subscribe({ channels: 'plugins' }), 'channels'],
    ['no channels', subscribe({ channels: [] }), 'channels'],
    ['too many channels', subscribe({ channels: Array.from({ length: 21 }, String) }), 'channels'],
    ['channels that are no words', subscribe({ channels: [1, {}] }), 'channels'],
    ['an unknown filter', subscribe({ filter: { secret: 'x' } }), 'secret'],
    ['a filter of numbers', subscribe({ filter: { pluginId: 1 } }), 'pluginId'],
    ['a filter of nothing', subscribe({ filter: { types: [] } }), 'types'],
    ['a position that is no text', subscribe({ since: 1 }), 'since'],
    ['a position that is too long', subscribe({ since: 'x'.repeat(201) }), 'since'],
    ['no token', '{"type":"auth"}', 'token'],
  ];
  for (const [what, text, says] of wrong) {
    it(`who sends ${what} is told what is wrong, and may go on`, async () => {
      const client = await known();
      client.sendRaw(text);
      const { error } = await client.next();
      expect(error).to.include({ code: 'VALIDATION_ERROR' });
      expect(error?.message).to.include(says);
      client.send({ type: 'ping' });
      expect((await client.next()).type).to.equal('pong');
    });
  }

  it('who sends bytes is closed with 1003', async () => {
    const client = await known();
    client.sendRaw(Buffer.from([0, 1, 2]));
    expect((await client.nextOf('error')).error).to.include({ code: 'VALIDATION_ERROR' });
    expect((await client.closed).code).to.equal(1003);
  });

  it('who sends a frame that is too large is closed with 1009, in one piece or in many', async () => {
    const whole = await known();
    whole.sendRaw('x'.repeat(16 * 1024 + 1));
    expect((await whole.closed).code).to.equal(1009);
    const pieces = await known();
    for (let piece = 0; piece < 200; piece += 1) pieces.ws.send('x'.repeat(100), { fin: false });
    expect((await pieces.closed).code).to.equal(1009);
  });

  it('who sends no UTF-8, or breaks the protocol, is closed', async () => {
    const text = await known();
    text.ws.send(Buffer.from([0xc3, 0x28]), { binary: false });
    expect((await text.closed).code).to.equal(1007);
    const unmasked = await known();
    // A frame of a client that is not masked (RFC 6455, 5.1).
    unmasked.ws.send('{}', { mask: false });
    expect((await unmasked.closed).code).to.equal(1002);
  });

  it('who sends a frame in pieces is understood', async () => {
    const client = await known();
    client.ws.send('{"type":', { fin: false });
    client.ws.send('"ping"}', { fin: true });
    expect((await client.next()).type).to.equal('pong');
  });

  it('who talks too much is closed with 1008, by frames or by pings', async () => {
    const talking = await known();
    for (let frame = 0; frame < 101; frame += 1) talking.send({ type: 'ping' });
    expect((await talking.nextOf('error')).error).to.include({ code: 'RATE_LIMIT_EXCEEDED' });
    expect((await talking.closed).code).to.equal(1008);
    const pinging = await known();
    for (let ping = 0; ping < 98; ping += 1) {
      pinging.ws.ping();
      await once(pinging.ws, 'pong');
    }
    pinging.ws.ping();
    pinging.ws.ping();
    expect((await pinging.closed).code).to.equal(1008);
    const flooding = await known();
    for (let ping = 0; ping < 1_000; ping += 1) flooding.ws.ping();
    await flooding.closed;
    const queueing = await connect();
    for (let frame = 0; frame < 34; frame += 1) queueing.send({ type: 'subscribe', channels: ['plugins'] });
    expect((await queueing.closed).code).to.equal(1008);
  });

  it('who has as many sockets as one may have is closed with 4429, and has a place again when one goes', async () => {
    const three = [await known(), await known(), await known()];
    const fourth = await connect();
    fourth.send({ type: 'auth', token: await server.asRole('Viewer', tenantOf.Viewer) });
    expect((await fourth.next()).error).to.include({ code: 'RATE_LIMIT_EXCEEDED' });
    expect((await fourth.closed).code).to.equal(4429);
    await three[0]?.close();
    // Whoever asks at once may still be refused: the server hears of the end when it hears of it.
    const another = await connect();
    await another.authenticate(await server.asRole('PluginDeveloper', tenantOf.PluginDeveloper));
    await known();
  });

  it('who comes when all places are taken is answered 503', async () => {
    for (let place = 0; place < 8; place += 1) await connect();
    const { status, body } = await refusedUpgrade();
    expect(status).to.equal(503);
    expect(body).to.have.nested.property('error.code', 'SERVICE_UNAVAILABLE');
  });

  it('who does not answer a heartbeat is cut off', async () => {
    const dead = await connect({ autoPong: false });
    await dead.authenticate(await server.asRole('Viewer', tenantOf.Viewer));
    const alive = await known();
    let pings = 0;
    const pinged = new Promise<void>((resolve) => alive.ws.on('ping', () => (pings += 1) === 2 && resolve()));
    await server.pass(31);
    await once(dead.ws, 'ping');
    await roundTrip(alive);
    await server.pass(31);
    await pinged;
    expect((await dead.closed).code).to.equal(1006);
    await roundTrip(alive);
  });

  /** By then the server has read all that was sent before. */
  async function roundTrip(client: SocketClient): Promise<void> {
    client.send({ type: 'ping' });
    expect((await client.next()).type).to.equal('pong');
  }

  async function refusedUpgrade(headers: Readonly<Record<string, string>> = {}) {
    const ws = new WebSocket(socketUrl(server.url), { headers });
    const [, response] = (await once(ws, 'unexpected-response')) as [
      unknown,
      import('node:http').IncomingMessage,
    ];
    const chunks = await Array.fromAsync(response as AsyncIterable<Buffer>);
    ws.on('error', () => undefined).terminate();
    return { status: response.statusCode, body: JSON.parse(Buffer.concat(chunks).toString()) as unknown };
  }

  it('whose page is of a strange origin is answered 403; our own, and those of CORS_ORIGINS, are not', async () => {
    for (const origin of [
      'https://evil.example.com',
      'null',
      'http://localhost:1',
      `${server.url}.evil.example.com`,
    ]) {
      const { status, body } = await refusedUpgrade({ Origin: origin });
      expect(status, origin).to.equal(403);
      expect(body).to.have.nested.property('error.code', 'PERMISSION_DENIED');
    }
    for (const origin of [server.url, 'https://console.example.com'])
      await connect({ headers: { Origin: origin } });
  });

  it('who asks without an upgrade is told to, and other upgrades are plain requests', async () => {
    const plain = await server.call('GET', '/ws');
    expect(plain.status).to.equal(426);
    expect(plain.headers.get('connection'), 'or it stayed open').to.equal('Upgrade, close');
    expect(plain.headers.get('upgrade')).to.equal('websocket');
    expect(plain.body).to.have.nested.property('error.code', 'UPGRADE_REQUIRED');
    expect((await server.call('POST', '/ws')).status).to.equal(405);
    for (const [path, upgrade, status] of [
      ['/health', 'h2c', 200],
      ['/ws', 'h2c', 426],
      ['/api/v1/plugins', 'websocket', 401],
      ['/ws/more', 'websocket', 404],
    ] as const)
      expect(await statusOf(path, upgrade), path).to.equal(status);
  });

  async function statusOf(path: string, upgrade: string): Promise<number | undefined> {
    const request = httpRequest(server.url + path, { headers: { Connection: 'Upgrade', Upgrade: upgrade } });
    request.end();
    const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage];
    response.resume();
    return response.statusCode;
  }

  it('whose handshake is none is answered 400', async () => {
    const { hostname, port, host } = new URL(server.url);
    for (const lines of [
      ['Sec-WebSocket-Key: x', 'Sec-WebSocket-Version: 13'],
      ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 99'],
      ['Sec-WebSocket-Version: 13'],
    ]) {
      const socket = connectTcp(Number(port), hostname);
      const head = [
        'GET /ws HTTP/1.1',
        `Host: ${host}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        ...lines,
      ];
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      const [top = '', body = ''] = answer.toString().split('\r\n\r\n');
      expect(top).to.match(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(JSON.parse(body)).to.have.nested.property('error.code', 'VALIDATION_ERROR');
      socket.destroy();
    }
  });
});
