/** The clients that docs/socket.md shows do what it says. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import type { WebSocket } from 'ws';
import { startTestServer, type TestServer } from '../support/server.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/socket.md'), 'utf8');
const snippet = (language: string): string =>
  new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(page)?.[1] ?? '';

type Follow = (
  url: string,
  token: string,
  channels: readonly string[],
  onAnnouncement: (frame: { readonly data: { readonly slug?: string } }) => void,
  retryMs: number,
) => () => void;

/** A network that can be cut. */
async function openNetwork(portNow: () => number) {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(portNow(), '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    near.on('close', () => far.destroy()).pipe(far);
    far.on('close', () => near.destroy()).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const cut = (): void => sockets.forEach((socket) => socket.destroy());
  return { url: `ws://127.0.0.1:${port}/ws`, cut, close: () => (cut(), server.close()) };
}

async function register(server: TestServer, pluginId: string): Promise<void> {
  const version = { semanticVersion: '1.0.0', runtime: { type: 'Node' } };
  const token = await server.asRole('PlatformAdmin');
  const body = { pluginId, name: pluginId, version };
  expect((await server.call('POST', '/api/v1/plugins', { token, body })).status).to.equal(201);
}

describe('docs/socket.md', function () {
  this.timeout(30_000);

  it('shows a client that misses nothing over a cut network and a restart', async () => {
    const server = await startTestServer();
    const network = await openNetwork(() => Number(new URL(server.url).port));
    const file = join(server.folder, 'follow.mjs');
    await writeFile(file, snippet('js'));
    const { follow } = (await import(file)) as { readonly follow: Follow };

    const told: (string | undefined)[] = [];
    let wake = (): void => undefined;
    const toldAllOf = async (slug: string): Promise<void> => {
      while (told.filter((one) => one === slug).length < 2)
        await new Promise<void>((resolve) => (wake = resolve));
    };
    const seen = (frame: { readonly data: { readonly slug?: string } }): void => {
      told.push(frame.data.slug);
      wake();
    };
    const end = follow(network.url, await server.asRole('Viewer', 'acme'), ['plugins'], seen, 5);
    try {
      // Two announcements each; until it is subscribed, it is told nothing.
      let first = 0;
      while (told.length === 0) await register(server, `first-${(first += 1)}`);
      await server.settle();
      network.cut();
      await register(server, 'while-cut');
      await register(server, 'before-restart');
      await server.restart();
      await register(server, 'after-restart');
      await toldAllOf('after-restart');
      const missed = ['while-cut', 'before-restart', 'after-restart'];
      expect(told.slice(-6)).to.deep.equal(missed.flatMap((slug) => [slug, slug]));
    } finally {
      end();
      network.close();
      await server.stop();
    }
  });

  it("shows the client of the IDP's document, which works with its own address and token", async () => {
    const server = await startTestServer();
    const code = snippet('javascript')
      .replace("'ws'", `'${import.meta.resolve('ws')}'`)
      .replace('wss://api.platform.com', server.url.replace('http', 'ws'))
      .replace('<access_token>', await server.asRole('TenantAdmin', 'acme'))
      .replace('console.log(data.toString())', 'told(JSON.parse(data.toString()))');
    const file = join(server.folder, 'document.mjs');
    await writeFile(
      file,
      `export function run(told) {\n${code.replace(/^import .*$/m, '')}\nreturn ws;\n}\n${/^import .*$/m.exec(code)?.[0]}\n`,
    );
    const { run } = (await import(file)) as {
      readonly run: (told: (frame: { readonly type: string; readonly data?: object }) => void) => WebSocket;
    };
    const types: string[] = [];
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const ws = run(({ type }) => {
      types.push(type);
      if (type === 'subscribed') void register(server, 'told-of');
      if (type === 'plugin:registered') resolve(undefined);
    });
    await promise;
    ws.terminate();
    await server.stop();
    expect(types.slice(0, 3)).to.deep.equal(['authenticated', 'subscribed', 'plugin:registered']);
  });
});
