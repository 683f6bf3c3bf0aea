/** docs/events.md names every channel and type of announcement that there is, and no other; and its example does what it says. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { announcementTypes, channels } from '../../src/projections/announcements/types.ts';
import { startTestServer } from '../support/server.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/events.md'), 'utf8');

function namesIn(section: string | undefined): string[] {
  return [...(section ?? '').matchAll(/^\| `([\w:]+)` \|/gm)].flatMap(([, name]) => name ?? []);
}

describe('docs/events.md', () => {
  const [, who, types] = page.split(/^## /m);

  it('names every channel, and no other', () => {
    expect(namesIn(who)).to.have.members([...channels]);
  });

  it('names every type, and no other', () => {
    expect(namesIn(types?.split('The `data` of')[0])).to.have.members(Object.keys(announcementTypes));
  });
});

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

describe('the example in docs/events.md', function () {
  this.timeout(30_000);

  it('misses nothing over a cut network and a restart', async () => {
    const server = await startTestServer();
    const network = await openNetwork(() => Number(new URL(server.url).port));
    const [, code = ''] = /```js\n([\s\S]*?)```/.exec(page) ?? [];
    const file = join(server.folder, 'follow.mjs');
    await writeFile(file, code);
    const { follow } = (await import(file)) as { readonly follow: Follow };

    const told: (string | undefined)[] = [];
    let wake = (): void => undefined;
    const toldAllOf = async (slug: string): Promise<void> => {
      while (told.filter((one) => one === slug).length < 2)
        await new Promise<void>((resolve) => (wake = resolve));
    };
    const register = async (pluginId: string): Promise<void> => {
      const body = {
        pluginId,
        name: pluginId,
        version: { semanticVersion: '1.0.0', runtime: { type: 'Node' } },
      };
      const token = await server.asRole('PlatformAdmin');
      expect((await server.call('POST', '/api/v1/plugins', { token, body })).status).to.equal(201);
    };
    const seen = (frame: { readonly data: { readonly slug?: string } }): void => {
      told.push(frame.data.slug);
      wake();
    };
    const end = follow(network.url, await server.asRole('Viewer', 'acme'), ['plugins'], seen, 5);
    try {
      // Two announcements each; until it is subscribed, it is told nothing.
      let first = 0;
      while (told.length === 0) await register(`first-${(first += 1)}`);
      await server.settle();
      network.cut();
      await register('while-cut');
      await register('before-restart');
      await server.restart();
      await register('after-restart');
      await toldAllOf('after-restart');
      const missed = ['while-cut', 'before-restart', 'after-restart'];
      expect(told.slice(-6)).to.deep.equal(missed.flatMap((slug) => [slug, slug]));
    } finally {
      end();
      network.close();
      await server.stop();
    }
  });
});
