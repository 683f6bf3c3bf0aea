import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect } from 'chai';
import { until } from './until.ts';
import { openWireProxy, type WireProxy } from './wire-proxy.ts';

/** What one end of a connection heard, and how it ended. */
interface End {
  readonly socket: Socket;
  readonly heard: () => string;
  /** `end`: closed in order; else the code of the error. */
  readonly ended: Promise<string>;
}

function listen(socket: Socket): End {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = '';
  socket
    .on('data', (chunk: Buffer) => (text += chunk.toString()))
    .on('end', () => resolve('end'))
    .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    .on('close', () => resolve('closed'));
  return { socket, heard: () => text, ended: promise };
}

describe('the proxy for faults at the wire', () => {
  let proxy: WireProxy;
  let close: () => Promise<void>;
  let accepted: End[];

  beforeEach(async () => {
    accepted = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(listen(socket)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    proxy = await openWireProxy({ host: '127.0.0.1', port });
    close = async () => {
      await proxy.close();
      for (const { socket } of accepted) socket.destroy();
      server.close();
      await once(server, 'close');
    };
  });
  afterEach(() => close());

  function connect(): End {
    return listen(createConnection({ port: proxy.port, host: proxy.host, allowHalfOpen: true }));
  }
  async function pair(): Promise<[client: End, server: End]> {
    const before = accepted.length;
    const client = connect();
    return [client, await until('the server accepts', 5000, async () => accepted[before] ?? null)];
  }
  const hears = (end: End, text: string): Promise<string> =>
    until(`${text} is heard`, 5000, async () => (end.heard().endsWith(text) ? end.heard() : null));

  it('passes both directions, and the end of each by itself', async () => {
    const [client, server] = await pair();
    client.socket.end('ask');
    await hears(server, 'ask');
    expect(await server.ended).to.equal('end');
    server.socket.end('answer');
    expect(await client.ended).to.equal('end');
    expect(client.heard()).to.equal('answer');
    await until('nothing is open', 5000, async () => (proxy.open === 0 ? true : null));
    expect(proxy.made).to.equal(1);
  });

  it('passes more than it keeps: who sends feels a reader who does not', async () => {
    const [client, server] = await pair();
    server.socket.pause();
    let taken = 0;
    for (; taken < 100 && client.socket.writableLength < 8_000_000; taken += 1)
      client.socket.write(Buffer.alloc(1_000_000));
    client.socket.end('last');
    const waiting = client.socket.writableLength;
    expect(waiting).to.be.greaterThan(1_000_000);
    server.socket.resume();
    await hears(server, 'last');
    expect(server.heard().length).to.equal(taken * 1_000_000 + 4);
  });

  it('cuts what is open, at both ends, and takes new connections', async () => {
    const [client, server] = await pair();
    proxy.cut();
    await Promise.all([client.ended, server.ended]);
    const [again, other] = await pair();
    again.socket.write('new');
    await hears(other, 'new');
  });

  it('delays every piece', async () => {
    const [client, server] = await pair();
    proxy.fault({ kind: 'delay', ms: 120 });
    const began = performance.now();
    client.socket.write('late');
    await hears(server, 'late');
    expect(performance.now() - began).to.be.at.least(115);
  });

  it('swallows one direction, also its end, and not the other; healed, the connection is reset', async () => {
    const [client, server] = await pair();
    proxy.fault({ kind: 'swallow', direction: 'up' });
    client.socket.end('lost');
    server.socket.write('heard');
    await hears(client, 'heard');
    await until('all is lost', 5000, async () => (proxy.swallowed === 4 ? true : null));
    expect(server.heard()).to.equal('');
    expect(proxy.open).to.equal(1);
    proxy.heal();
    expect(await server.ended).to.equal('ECONNRESET');
  });

  it('swallows both directions of connections made later too, and leaves alone which lost nothing', async () => {
    const [silent, quiet] = await pair();
    proxy.fault({ kind: 'swallow', direction: 'both' });
    const [client, server] = await pair();
    client.socket.write('lost');
    server.socket.write('lost too');
    await until('all is lost', 5000, async () => (proxy.swallowed === 12 ? true : null));
    proxy.fault({ kind: 'swallow', direction: 'down' });
    silent.socket.write('up');
    await hears(quiet, 'up');
    proxy.heal();
    expect(await client.ended).to.equal('ECONNRESET');
    expect([client.heard(), server.heard()]).to.deep.equal(['', '']);
    silent.socket.write('still there');
    await hears(quiet, 'still there');
  });

  it('holds bytes back, and lets them go on when it heals', async () => {
    const [client, server] = await pair();
    proxy.fault({ kind: 'hold', direction: 'up' });
    client.socket.write('held ');
    server.socket.write('not held');
    await hears(client, 'not held');
    expect(server.heard()).to.equal('');
    proxy.heal();
    client.socket.write('and more');
    expect(await hears(server, 'more')).to.equal('held and more');
  });

  it('refuses new connections and lets open ones be, until it heals', async () => {
    const [client, server] = await pair();
    proxy.fault({ kind: 'refuse' });
    expect(await connect().ended).to.equal('ECONNRESET');
    client.socket.write('open');
    await hears(server, 'open');
    expect(accepted).to.have.length(1);
    proxy.heal();
    await pair();
    expect(proxy.made).to.equal(3);
  });

  it('resets after so many bytes, at both ends, once', async () => {
    const [client, server] = await pair();
    client.socket.write('before ');
    await hears(server, 'before ');
    proxy.fault({ kind: 'reset', direction: 'up', after: 3 });
    const struck = proxy.struck();
    client.socket.write('abc');
    await hears(server, 'abc');
    client.socket.write('def');
    expect(await client.ended).to.equal('ECONNRESET');
    expect(await server.ended).to.equal('ECONNRESET');
    await struck;
    expect(server.heard()).to.equal('before abc');
    const [again, other] = await pair();
    again.socket.write('abcdef');
    await hears(other, 'abcdef');
  });

  it('resets at the first byte of an answer, which nobody hears', async () => {
    const [client, server] = await pair();
    proxy.fault({ kind: 'reset', direction: 'down', after: 0 });
    client.socket.write('do it');
    await hears(server, 'do it');
    server.socket.write('done');
    expect(await client.ended).to.equal('ECONNRESET');
    expect(client.heard()).to.equal('');
  });

  it('resets when a pattern passes, also one that comes in pieces', async () => {
    const [client, server] = await pair();
    const [bystander, other] = await pair();
    proxy.fault({ kind: 'reset', direction: 'up', after: 'Content-Length' });
    client.socket.write('PUT / Conte');
    await hears(server, 'Conte');
    client.socket.write('nt-Length: 12');
    expect(await client.ended).to.equal('ECONNRESET');
    expect(await server.ended).to.equal('ECONNRESET');
    expect(server.heard()).to.be.oneOf(['PUT / Conte', 'PUT / Content-Length']);
    bystander.socket.write('Content-Length');
    await hears(other, 'Content-Length');
  });

  it('passes a reset on as a reset', async () => {
    const [client, server] = await pair();
    server.socket.resetAndDestroy();
    expect(await client.ended).to.equal('ECONNRESET');
  });

  it('resets the client of a server that is not there', async () => {
    const nowhere = await openWireProxy({ host: '127.0.0.1', port: 1 });
    try {
      const client = listen(createConnection({ port: nowhere.port, host: nowhere.host }));
      expect(await client.ended).to.equal('ECONNRESET');
    } finally {
      await nowhere.close();
    }
  });
});
