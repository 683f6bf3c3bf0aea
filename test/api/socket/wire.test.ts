/** What a wire promises to those who send on it, whatever becomes of its other side. */
import { expect } from 'chai';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import { closing, openWire, type Wire } from '../../../src/api/socket/wire.ts';
import { createVirtualClock } from '../../support/virtual-clock.ts';
import { turn } from './facts.ts';

const frame = Buffer.alloc(20_000, 'n');
/** Of a client, code 1000, with a mask of zeros. */
const farewell = Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]);

describe('the wire of a socket', () => {
  /** Its client has shaken hands and reads nothing. */
  async function open() {
    const server = createServer();
    const sockets = new WebSocketServer({ noServer: true });
    const opened = Promise.withResolvers<{ readonly ws: WebSocket; readonly socket: Duplex }>();
    server.on('upgrade', (request, socket, head) => {
      sockets.handleUpgrade(request, socket, head, (ws) => opened.resolve({ ws, socket }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client: Socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined);
    const lines = [
      ...['GET /ws HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket'],
      ...['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13', '', ''],
    ];
    client.write(lines.join('\r\n'));
    const { ws, socket } = await opened.promise;
    client.pause();
    const clock = createVirtualClock();
    const codes: number[] = [];
    const wire: Wire = openWire(ws, socket, clock, {
      slow: () => wire.close(closing.comeBack, 'too slow'),
      ...{ frame: () => undefined, ping: () => undefined },
      ended: (code) => codes.push(code),
    });
    for (let sent = 0; !wire.full; sent += 1) {
      wire.send(frame);
      if (sent % 50 === 0) await turn();
    }
    const stop = (): void => {
      client.destroy();
      ws.terminate();
      server.close();
    };
    return { wire, ws, client, clock, codes, stop };
  }

  /** @returns whether it is empty, or never will be; and then it must not be full */
  async function isEmptied(wire: Wire): Promise<boolean> {
    const later = async (): Promise<boolean> => {
      for (let passed = 0; passed < 50; passed += 1) await turn();
      return false;
    };
    const is = await Promise.race([wire.emptied().then(() => true), later()]);
    if (is) expect(wire.full).to.equal(false);
    return is;
  }

  it('is full until what waits was taken', async () => {
    const { wire, client, stop } = await open();
    expect(await isEmptied(wire)).to.equal(false);
    expect(wire.full).to.equal(true);
    client.resume();
    await wire.emptied();
    expect(wire.full).to.equal(false);
    stop();
  });

  it('lets nobody turn in circles when the other side says goodbye and takes nothing', async () => {
    const { wire, ws, client, stop } = await open();
    client.write(farewell);
    while (ws.readyState === ws.OPEN) await turn();
    await isEmptied(wire);
    stop();
  });

  it('lets everybody go when the other side is gone', async () => {
    const { wire, client, codes, stop } = await open();
    const emptied = wire.emptied();
    client.destroy();
    await emptied;
    expect(await isEmptied(wire)).to.equal(true);
    while (codes.length === 0) await turn();
    stop();
  });

  it('closes who takes nothing for ten seconds with 1013, and sends nothing more', async () => {
    const { wire, client, clock, stop } = await open();
    void wire.emptied();
    await clock.advance(9_000);
    wire.check();
    expect(wire.open).to.equal(true);
    await clock.advance(1_000);
    wire.check();
    expect(wire.open).to.equal(false);
    await isEmptied(wire);
    wire.send(Buffer.from('never sent'));
    wire.close(closing.goingAway, 'too late');
    const taken: Buffer[] = [];
    client.on('data', (chunk: Buffer) => taken.push(chunk));
    client.resume();
    while (!taken.at(-1)?.includes('too slow')) await turn();
    expect(Buffer.concat(taken).includes('never sent')).to.equal(false);
    stop();
  });
});
