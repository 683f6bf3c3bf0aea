/** Whatever a client sends, a socket answers in its own words or ends with a code that is documented, and everybody else is served. */
import { expect } from 'chai';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { channels } from '../../../src/projections/announcements/types.ts';
import { acmeId, openWholeServer, type WholeServer } from '../plugin-manager/whole-server.ts';
import { openSocket, type SocketClient } from './client.ts';

const long = process.env['SLIPWAY_LONG'] !== undefined;
const numRuns = long ? 10_000 : 150;
const page = readFileSync(join(import.meta.dirname, '../../../docs/socket.md'), 'utf8');

/** 1005 and 1006: there was no code, since the client hung up or the connection broke. */
const documentedCodes = new Set([
  ...[...page.matchAll(/^\| (\d{4}[\d, ]*)\|/gm)].flatMap(([, codes = '']) => codes.split(',').map(Number)),
  ...[1005, 1006],
]);
const kinds = ['authenticated', 'subscribed', 'unsubscribed', 'pong', 'error'];

type Sent =
  | { readonly text: string; readonly pieces: number }
  | { readonly bytes: Uint8Array }
  | { readonly ping: Uint8Array };

const name = fc.oneof(
  fc.constantFrom<string>(...channels, 'catalog', '__proto__', 'constructor', '', '*'),
  fc.string({ maxLength: 120 }),
);
const anything = fc.oneof(fc.jsonValue({ maxDepth: 3 }), name, fc.array(name, { maxLength: 30 }));
const place = fc.oneof(fc.integer({ min: -5, max: 60 }), fc.constantFrom(2 ** 31, 2 ** 53, 1e21, -0.5));
/** `LOG` becomes the id of the server's own log. */
const since = fc.oneof(
  place.map((at) => `LOG:${at}`),
  fc.tuple(place, fc.integer({ min: 0, max: 9_999 }), place).map(([a, n, b]) => `LOG:${a}+${n}+LOG:${b}`),
  anything,
);
const frame = fc
  .record(
    {
      type: fc.oneof(
        { weight: 6, arbitrary: fc.constantFrom('subscribe', 'unsubscribe', 'ping', 'auth') },
        anything,
      ),
      channels: fc.oneof({ weight: 3, arbitrary: fc.array(name, { minLength: 1, maxLength: 6 }) }, anything),
      since,
      filter: fc.oneof(
        fc.record(
          {
            types: anything,
            pluginId: anything,
            environment: anything,
            deploymentId: anything,
            tenantId: anything,
          },
          { requiredKeys: [] },
        ),
        anything,
      ),
      token: fc.oneof(fc.constant('TOKEN'), fc.constant('Bearer TOKEN'), anything),
    },
    { requiredKeys: [] },
  )
  .map((object) => JSON.stringify(object));
const text = fc.oneof(
  { weight: 6, arbitrary: frame },
  { weight: 2, arbitrary: fc.json({ maxDepth: 4 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
  { weight: 1, arbitrary: fc.nat({ max: 17_000 }).map((depth) => '['.repeat(depth)) },
  {
    weight: 1,
    arbitrary: fc.nat({ max: 3_000 }).map((depth) => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth)),
  },
  { weight: 1, arbitrary: fc.nat({ max: 40_000 }).map((length) => `"${'x'.repeat(length)}"`) },
);
const sent = fc.oneof(
  { weight: 20, arbitrary: fc.record({ text, pieces: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ bytes: fc.uint8Array({ maxLength: 2_000 }) }) },
  { weight: 1, arbitrary: fc.record({ ping: fc.uint8Array({ maxLength: 125 }) }) },
);

describe('a socket that is sent anything', function () {
  this.timeout(numRuns * 400);
  let server: WholeServer;
  let token: string;
  let witness: SocketClient;
  const faults: string[] = [];
  before(async () => {
    server = await openWholeServer({ SLIPWAY_SOCKETS_PER_USER: '1000' }, (line) => {
      if ((JSON.parse(line) as { readonly level: number }).level >= 50) faults.push(line);
    });
    await server.ask('PlatformAdmin', 'POST', '/tenants', { tenantId: acmeId, name: 'Acme' });
    await server.ask('PlatformAdmin', 'POST', '/plugins', {
      ...{ pluginId: 'mailer', name: 'Mailer' },
      version: { semanticVersion: '1.0.0', state: 'Stable', runtime: { type: 'Node' } },
    });
    token = await server.asRole('TenantAdmin', acmeId);
    witness = await openSocket(server.url);
    await witness.authenticate(token);
    await witness.subscribe(['plugins']);
  });
  afterEach(async () => {
    expect(faults).to.deep.equal([]);
    const name = `Edited at ${Date.now()}`;
    await server.ask('PlatformAdmin', 'PATCH', '/plugins/mailer', { name });
    expect((await witness.next()).data).to.include({ displayName: name });
  });
  after(async () => {
    await witness.close();
    await server.stop();
  });

  const inWorld = (words: string): string =>
    words.replaceAll('LOG', server.server.ports.eventStore.logId).replaceAll('TOKEN', token);

  function send({ ws }: SocketClient, what: Sent): void {
    if (ws.readyState !== ws.OPEN) return;
    if ('bytes' in what) ws.send(what.bytes);
    else if ('ping' in what) ws.ping(what.ping);
    else {
      const words = inWorld(what.text);
      const size = Math.ceil(words.length / what.pieces) || 1;
      for (let at = 0; at < Math.max(words.length, 1); at += size)
        ws.send(words.slice(at, at + size), { fin: at + size >= words.length });
    }
  }

  it('answers with frames that are its own, and no fault of ours', async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), fc.array(sent, { maxLength: 12 }), async (isKnown, all) => {
        const client = await openSocket(server.url);
        if (isKnown) await client.authenticate(token);
        for (const what of all) send(client, what);
        client.ws.close();
        const { code } = await client.closed;
        expect([...documentedCodes]).to.include(code);
        for (const { type, data, error } of client.frames) {
          if (data === undefined) expect(type).to.be.oneOf(kinds);
          expect(error?.code).not.to.equal('INTERNAL_ERROR');
          expect(error?.message ?? '').not.to.match(/node:internal|\.ts:\d|TypeError|RangeError|SyntaxError/);
        }
        expect(faults).to.deep.equal([]);
      }),
      { numRuns },
    );
  });

  it('ends connections whose bytes are no frames', async () => {
    const { hostname, port, host } = new URL(server.url);
    const key = randomBytes(16).toString('base64');
    const handshake = [
      ...['GET /ws HTTP/1.1', `Host: ${host}`, 'Connection: Upgrade', 'Upgrade: websocket'],
      ...[`Sec-WebSocket-Key: ${key}`, 'Sec-WebSocket-Version: 13', '', ''],
    ].join('\r\n');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), async (bytes) => {
        const socket = connectTcp(Number(port), hostname);
        socket.on('error', () => undefined);
        socket.write(handshake);
        await once(socket, 'data');
        socket.resume().end(bytes);
        await once(socket, 'close');
        expect(faults).to.deep.equal([]);
      }),
      { numRuns },
    );
  });

  it('keeps one subscription a channel, however many thousands are asked for', async () => {
    const { logId } = server.server.ports.eventStore;
    const crowd = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const client = await openSocket(server.url);
        await client.authenticate(token);
        for (let asked = 0; asked < 75; asked += 1) {
          await client.subscribe(channels, asked % 2 === 0 ? {} : { since: `${logId}:0` });
        }
        return client;
      }),
    );
    await server.ask('PlatformAdmin', 'PATCH', '/plugins/mailer', { name: 'After thousands' });
    expect((await witness.next()).data).to.include({ displayName: 'After thousands' });
    for (const client of crowd) {
      const last = await client.nextOf('plugin:edited');
      const again = client.frames.filter(({ data }) => data?.['displayName'] === 'After thousands');
      expect([last.data?.['displayName'], again.length]).to.deep.equal(['After thousands', 1]);
      await client.close();
    }
  });
});
